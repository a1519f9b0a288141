import { useMemo, useState } from 'react';
import { valuesOf, widthOf } from '../../document/packed.js';
import { countWords, numberWords } from '../../format/number-words.js';
import { saveFile } from '../../ui/save-file.js';
import { Figure, NothingToDraw } from '../figure.js';
import type { FigureProps } from '../result-views.js';
import type { MapView } from '../view-types.js';
import { type ColourRamp, INFERNO, shadesOf, VIRIDIS } from './colour-ramp.js';
import { ColourScale } from './colour-scale.js';
import { type Camera, fitted, zoomed } from './map-camera.js';
import { MapCanvas, type Pointed } from './map-canvas.js';
import type { Drawing } from './map-drawing.js';
import { csvOf } from './map-csv.js';
import { boundsOf, type Layer, type MapModel, mapModel } from './map-model.js';
import { cellAt } from './cell-at.js';
import { rasterOf } from './raster.js';
import { extentOf, middleOf } from './value-range.js';

/** Estimates as a map, one for each layer side by side, with the samples over them. */
export default function MapFigure({ view, document }: FigureProps<MapView>) {
  const model = useMemo(() => mapModel(view, document), [view, document]);
  const title = view.title ?? 'Map';
  return model === null ? (
    <NothingToDraw title={title} what="the results have no values at known places" />
  ) : (
    <Maps title={title} model={model} />
  );
}

function Maps({ title, model }: { title: string; model: MapModel }) {
  const [camera, setCamera] = useState<Camera | null>(null);
  const [pointed, setPointed] = useState<Pointed | null>(null);
  const [level, setLevel] = useState(0);
  const [middle, setMiddle] = useState(false);
  const [showSamples, setShowSamples] = useState(true);
  const bounds = useMemo(() => boundsOf(model), [model]);
  const zoom = (factor: number) => () => {
    const all = fitted(bounds, 600, 400);
    setCamera(zoomed(camera ?? all, factor, [0, 0], all.scale));
  };
  const { shape } = model;
  const height =
    shape.kind === 'grid' && model.levels > 1
      ? (shape.origin[2] ?? 0) + (level + 0.5) * (shape.spacing[2] ?? 0)
      : null;
  return (
    <Figure
      title={title}
      tools={
        <div className="row">
          {model.samples !== null && (
            <label className="check small">
              <input
                type="checkbox"
                checked={showSamples}
                onChange={({ target }) => setShowSamples(target.checked)}
              />
              Samples
            </label>
          )}
          <label className="check small">
            <input
              type="checkbox"
              checked={middle}
              onChange={({ target }) => setMiddle(target.checked)}
            />
            Colours without the outer 2 %
          </label>
          <button
            type="button"
            className="button small icon"
            aria-label="Zoom in"
            onClick={zoom(1.6)}
          >
            +
          </button>
          <button
            type="button"
            className="button small icon"
            aria-label="Zoom out"
            onClick={zoom(1 / 1.6)}
          >
            −
          </button>
          <button type="button" className="button small" onClick={() => setCamera(null)}>
            Show all
          </button>
          <button
            type="button"
            className="button small"
            onClick={() => saveFile('map.csv', new Blob(csvOf(model), { type: 'text/csv' }))}
          >
            Download CSV
          </button>
        </div>
      }
    >
      {height !== null && (
        <label className="level">
          <span>{`Level ${level + 1} of ${model.levels}, z = ${numberWords(height, 6)}`}</span>
          <input
            type="range"
            min={0}
            max={model.levels - 1}
            value={level}
            onChange={({ target }) => setLevel(Number(target.value))}
          />
        </label>
      )}
      <div className="maps">
        {model.layers.map((layer, index) => (
          <LayerMap
            key={layer.title}
            model={model}
            layer={layer}
            ramp={index === 0 ? VIRIDIS : INFERNO}
            isFirst={index === 0}
            bounds={bounds}
            level={level}
            middle={middle}
            showSamples={showSamples}
            camera={camera}
            onCamera={setCamera}
            pointed={pointed}
            onPoint={setPointed}
          />
        ))}
      </div>
      <p className="small soft">Drag to move; hold Ctrl and turn the wheel to zoom.</p>
    </Figure>
  );
}

function LayerMap({
  model,
  layer,
  ramp,
  isFirst,
  bounds,
  level,
  middle,
  showSamples,
  camera,
  onCamera,
  pointed,
  onPoint,
}: {
  model: MapModel;
  layer: Layer;
  ramp: ColourRamp;
  isFirst: boolean;
  bounds: ReturnType<typeof boundsOf>;
  level: number;
  middle: boolean;
  showSamples: boolean;
  camera: Camera | null;
  onCamera: (camera: Camera) => void;
  pointed: Pointed | null;
  onPoint: (place: Pointed | null) => void;
}) {
  const extent = useMemo(() => extentOf(layer.values), [layer]);
  const drawing = useMemo((): Drawing | null => {
    if (extent === null) return null;
    const range = middle ? middleOf(layer.values) : extent.range;
    const shades = shadesOf(ramp);
    const raster =
      model.shape.kind === 'grid'
        ? rasterOf(model.shape, layer.values, level, range, shades)
        : null;
    return { model, layer, range, shades, raster, colourSamples: isFirst, showSamples };
  }, [model, layer, extent, ramp, level, middle, isFirst, showSamples]);
  if (drawing === null || extent === null) {
    return <p className="soft">{`${layer.title}: no value could be estimated.`}</p>;
  }
  return (
    <figure className="map-layer">
      <figcaption>
        <b>{layer.title}</b> <span className="soft">{readout(model, layer, level, pointed)}</span>
      </figcaption>
      <MapCanvas
        drawing={drawing}
        bounds={bounds}
        camera={camera}
        onCamera={onCamera}
        onPoint={onPoint}
        label={nameOf(model, layer, extent)}
      />
      <ColourScale ramp={ramp} range={drawing.range} unit={layer.unit} cut={middle} />
    </figure>
  );
}

/** What the map says to those who do not see it. */
function nameOf(
  { noun, samples, levels }: MapModel,
  { title, unit, values }: Layer,
  { range, count }: { range: readonly [number, number]; count: number },
): string {
  const units = unit === '' ? '' : ` ${unit}`;
  const missing = values.length - count;
  return [
    `Map of ${title}: ${countWords(count)} ${noun} from ${numberWords(range[0])} to ${numberWords(range[1])}${units}`,
    missing > 0 ? `${countWords(missing)} without a value` : '',
    levels > 1 ? `${levels} levels` : '',
    samples === null ? '' : `${countWords(samples.values.length)} samples over it`,
  ]
    .filter((part) => part !== '')
    .join('; ');
}

function readout(
  { shape }: MapModel,
  { values, unit }: Layer,
  level: number,
  pointed: Pointed | null,
): string {
  if (pointed === null) return unit;
  const index =
    shape.kind === 'grid'
      ? cellAt(shape, pointed.x, pointed.y, level)
      : nearest(valuesOf(shape.places), widthOf(shape.places), pointed);
  const value = index < 0 ? NaN : (values[index] ?? NaN);
  const told =
    index < 0 ? '' : Number.isNaN(value) ? 'no value' : `${numberWords(value, 5)} ${unit}`;
  return `${told} at ${numberWords(pointed.x, 7)}, ${numberWords(pointed.y, 7)}`;
}

function nearest(places: Float64Array, step: number, { x, y, pixel }: Pointed): number {
  let best = -1;
  let least = (8 * pixel) ** 2;
  for (let index = 0; index * step < places.length; index += 1) {
    const dx = (places[index * step] as number) - x;
    const dy = (places[index * step + 1] as number) - y;
    if (dx * dx + dy * dy < least) {
      least = dx * dx + dy * dy;
      best = index;
    }
  }
  return best;
}
