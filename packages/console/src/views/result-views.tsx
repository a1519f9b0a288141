import { lazy, Suspense } from 'react';
import type { Packed } from '../document/packed.js';
import { ViewBoundary } from './view-boundary.js';
import type { TaskView } from './view-types.js';

/** Loaded when results want them: a first visit pays for no picture. */
const VIEWS = {
  map: lazy(() => import('./map/map-figure.js')),
  line: lazy(() => import('./chart/line-figure.js')),
  histogram: lazy(() => import('./chart/histogram-figure.js')),
  table: lazy(() => import('./table-figure.js')),
  image: lazy(() => import('./image-figure.js')),
  markdown: lazy(() => import('./markdown-figure.js')),
} as const;

/** What a view gets: the hint, and `{ parameters, results }`. */
export interface FigureProps<View extends TaskView> {
  readonly view: View;
  readonly document: Packed;
}

/** The pictures of a job's results. One that cannot be drawn says so, and leaves the others alone. */
export function ResultViews({ views, document }: { views: readonly TaskView[]; document: Packed }) {
  return views.map((view, index) => {
    const Figure = VIEWS[view.kind] as React.ComponentType<FigureProps<TaskView>> | undefined;
    return Figure === undefined ? null : (
      <ViewBoundary key={index}>
        <Suspense fallback={<p className="figure-waiting soft">Drawing …</p>}>
          <Figure view={view} document={document} />
        </Suspense>
      </ViewBoundary>
    );
  });
}
