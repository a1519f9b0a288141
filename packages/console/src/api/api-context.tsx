import { createContext, type ReactNode, useContext, useMemo } from 'react';
import { type Scope, useSession } from '../session/session.js';
import { OrganizationApi } from './organization-api.js';

const Context = createContext<OrganizationApi | null>(null);

/** The organization whose pages these are. */
export function ApiProvider({ org, children }: { org: string; children: ReactNode }) {
  const api = useMemo(() => new OrganizationApi(org), [org]);
  return <Context value={api}>{children}</Context>;
}

export function useApi(): OrganizationApi {
  const api = useContext(Context);
  if (api === null) throw new Error('This page is of no organization.');
  return api;
}

/** Whether the token has a scope: what it has not is not offered. */
export function useMay(scope: Scope): boolean {
  const state = useSession();
  return (state.kind === 'in' || state.kind === 'expired') && state.session.scopes.includes(scope);
}
