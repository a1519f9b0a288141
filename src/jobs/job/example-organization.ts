/** An organization for examples: of the demo, and of Swagger UI, so that the demo's token works there. */
export const EXAMPLE_ORGANIZATION = '5eed0000-0000-4000-8000-000000000001';
