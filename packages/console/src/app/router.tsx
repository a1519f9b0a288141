import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  redirect,
} from '@tanstack/react-router';
import { CONSOLE_PATH } from '../api/service-address.js';
import { currentSession } from '../session/session.js';
import { parseSearch, printSearch, type Search } from './address.js';
import { OrganizationFrame } from './organization-frame.js';
import { NoSuchPage } from './no-such-page.js';
import { Shell } from './shell.js';

const root = createRootRoute({ component: Shell, notFoundComponent: NoSuchPage });
const search = (found: Record<string, unknown>) => found as Search;

const start = createRoute({
  getParentRoute: () => root,
  path: '/',
  beforeLoad: () => {
    const state = currentSession();
    const [org] = state.kind === 'in' ? state.session.organizations : [];
    if (org !== undefined) {
      throw redirect({ to: '/$org/jobs', params: { org }, replace: true });
    }
  },
  component: NoSuchPage,
});

const organization = createRoute({
  getParentRoute: () => root,
  path: '$org',
  component: OrganizationFrame,
  notFoundComponent: NoSuchPage,
});
const overview = createRoute({
  getParentRoute: () => organization,
  path: 'overview',
  component: lazyRouteComponent(() => import('../overview/overview-page.js')),
});
const jobs = createRoute({
  getParentRoute: () => organization,
  path: 'jobs',
  validateSearch: search,
  component: lazyRouteComponent(() => import('../jobs/jobs-page.js')),
});
const job = createRoute({
  getParentRoute: () => organization,
  path: 'jobs/$topic/$task/$id',
  component: lazyRouteComponent(() => import('../job/job-page.js')),
});
const compare = createRoute({
  getParentRoute: () => organization,
  path: 'compare',
  validateSearch: search,
  component: lazyRouteComponent(() => import('../job/compare-page.js')),
});
const tasks = createRoute({
  getParentRoute: () => organization,
  path: 'tasks',
  validateSearch: search,
  component: lazyRouteComponent(() => import('../tasks/tasks-page.js')),
});
const run = createRoute({
  getParentRoute: () => organization,
  path: 'tasks/$topic/$task',
  validateSearch: search,
  component: lazyRouteComponent(() => import('../tasks/run-page.js')),
});
const administration = createRoute({
  getParentRoute: () => organization,
  path: 'admin',
  validateSearch: search,
  component: lazyRouteComponent(() => import('../admin/admin-page.js')),
});

export const router = createRouter({
  routeTree: root.addChildren([
    start,
    organization.addChildren([overview, jobs, job, compare, tasks, run, administration]),
  ]),
  basepath: CONSOLE_PATH.replace(/\/$/, ''),
  parseSearch,
  stringifySearch: printSearch,
  defaultPreload: 'intent',
  scrollRestoration: true,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
