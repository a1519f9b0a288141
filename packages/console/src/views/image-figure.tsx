import { at } from '../document/place.js';
import { Figure, NothingToDraw } from './figure.js';
import type { FigureProps } from './result-views.js';
import type { ImageView } from './view-types.js';

/** Pictures of dots only: they cannot ask another host for anything. */
const SOURCE = /^data:image\/(png|jpeg|gif|webp);base64,[A-Za-z0-9+/=]+$/;

/** A picture that the task itself has drawn. */
export default function ImageFigure({ view, document }: FigureProps<ImageView>) {
  const source = at(document, view.source);
  const title = view.title ?? view.description;
  if (typeof source !== 'string' || !SOURCE.test(source)) {
    return (
      <NothingToDraw
        title={title}
        what="the results have no image (a data: URL of PNG, JPEG, GIF or WebP)"
      />
    );
  }
  return (
    <Figure title={title}>
      <img className="result-image" src={source} alt={view.description} />
    </Figure>
  );
}
