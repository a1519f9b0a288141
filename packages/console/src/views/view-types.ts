/** How a task wants its results shown: the service's `TaskView` (docs/writing-tasks.md). */
export type TaskView = MapView | LineView | HistogramView | TableView | ImageView | MarkdownView;

export interface MapView {
  readonly kind: 'map';
  readonly title?: string;
  readonly grid?: string;
  readonly points?: string;
  readonly layers: readonly {
    readonly title: string;
    readonly values: string;
    readonly unit?: string;
  }[];
  readonly samples?: { readonly coordinates: string; readonly values: string };
}

export interface LineView {
  readonly kind: 'line';
  readonly title?: string;
  readonly x: { readonly title: string; readonly unit?: string };
  readonly y: { readonly title: string; readonly unit?: string };
  readonly series: readonly {
    readonly title: string;
    readonly x: string;
    readonly y: string;
    readonly style: 'line' | 'points';
    readonly notes?: { readonly title: string; readonly values: string };
  }[];
  readonly variogram?: string;
}

export interface HistogramView {
  readonly kind: 'histogram';
  readonly title?: string;
  readonly values: string;
  readonly unit?: string;
}

export interface TableView {
  readonly kind: 'table';
  readonly title?: string;
  readonly rows: string;
}

export interface ImageView {
  readonly kind: 'image';
  readonly title?: string;
  readonly source: string;
  readonly description: string;
}

export interface MarkdownView {
  readonly kind: 'markdown';
  readonly title?: string;
  readonly text: string;
}
