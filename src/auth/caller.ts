/** Who is asking: everything the service wants to know of a verified token. */
export interface Caller {
  /** The token's `sub`, so that it can be stored: see `storable`. */
  readonly subject: string;
  /** The application that the token was given to: its `client_id` or `azp`, likewise; or null. */
  readonly client: string | null;
  /** Organizations the token grants: lower-case UUIDs. */
  readonly organizations: ReadonlySet<string>;
  /** As the provider calls them. */
  readonly scopes: ReadonlySet<string>;
  /** The token's `exp`: seconds since 1970. */
  readonly expiresAt: number;
}

/** What a route demands of the token beside the organization. */
export type Scope = 'compute:read' | 'compute:execute' | 'compute:admin';
