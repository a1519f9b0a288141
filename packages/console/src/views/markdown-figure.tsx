import { Markdown } from '../ui/markdown.js';
import { at } from '../document/place.js';
import { Figure, NothingToDraw } from './figure.js';
import type { FigureProps } from './result-views.js';
import type { MarkdownView } from './view-types.js';

/** A text that the task has written. */
export default function MarkdownFigure({ view, document }: FigureProps<MarkdownView>) {
  const text = at(document, view.text);
  const title = view.title ?? 'Report';
  if (typeof text !== 'string') {
    return <NothingToDraw title={title} what="the results have no such text" />;
  }
  return (
    <Figure title={title}>
      <Markdown text={text} />
    </Figure>
  );
}
