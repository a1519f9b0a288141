import type { OpenAPIObject } from '@nestjs/swagger';

// Nest's package keeps these names to itself; they follow from the document's.
type Components = NonNullable<OpenAPIObject['components']>;

export type PathItemObject = OpenAPIObject['paths'][string];
export type OperationObject = NonNullable<PathItemObject['get']>;
export type ResponseObject = Exclude<
  NonNullable<OperationObject['responses']['default']>,
  { $ref: string }
>;
export type ReferenceObject = Extract<NonNullable<Components['schemas']>[string], { $ref: string }>;
export type SchemaObject = Exclude<NonNullable<Components['schemas']>[string], ReferenceObject>;
