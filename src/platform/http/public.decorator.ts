import { Reflector } from '@nestjs/core';

/** Marks a route or controller that needs no token. Everything else does. */
export const Public = Reflector.createDecorator<true>();

/**
 * Marks a route that any good token may ask, if it grants the organization of the path: one that says
 * no more than which addresses there are.
 */
export const AnyToken = Reflector.createDecorator<true>();
