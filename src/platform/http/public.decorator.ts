import { Reflector } from '@nestjs/core';

/** Marks a route or controller that needs no token. Everything else does. */
export const Public = Reflector.createDecorator<true>();
