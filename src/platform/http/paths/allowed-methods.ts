import createRouter, { type HTTPMethod, type Instance, type HTTPVersion } from 'find-my-way';

/** Which methods each path answers: what a 405 says in its `Allow` header. */
export class AllowedMethods {
  private exists: (params: Readonly<Record<string, string | undefined>>) => boolean = () => true;
  private readonly routers = new Map<string, Instance<HTTPVersion.V1>>();

  /** Learns a route; catch-all routes say nothing about what exists. */
  add(methods: string | readonly string[], url: string): void {
    if (url.includes('*')) {
      return;
    }
    for (const method of [methods].flat()) {
      const router = this.routers.get(method) ?? createRouter();
      this.routers.set(method, router);
      if (router.findRoute(method as HTTPMethod, url) === null) {
        router.on(method as HTTPMethod, url, () => undefined);
      }
    }
  }

  /** Says which addresses of a route exist at all, by what they have in the places of its parameters. */
  knowAddresses(exists: AllowedMethods['exists']): void {
    this.exists = exists;
  }

  /** @param path without the query string; one with an empty segment belongs to no route */
  of(path: string): string[] {
    return [...this.routers]
      .filter(([method, router]) => {
        const found = router.find(method as HTTPMethod, path);
        return (
          found !== null && !Object.values(found.params).includes('') && this.exists(found.params)
        );
      })
      .map(([method]) => method)
      .sort();
  }
}
