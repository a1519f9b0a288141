import { valueWords } from '../format/value-words.js';
import { useEffect, useRef, useState } from 'react';
import { countWords, plural } from '../format/number-words.js';
import { lengthOf, memberOf, type Packed } from './packed.js';

/** Members that a list or an object shows at first, and then at a time. */
const SHOWN = 100;
/** Characters of a text that are shown at first. */
const TEXT_SHOWN = 400;
/** How deep the tree is open at first. */
const OPEN_DEPTH = 1;

/**
 * A JSON document as a tree that opens and closes. What it says is text, whatever it looks like.
 * @param place a place such as `source.values[3]` that is opened and marked
 */
export function Tree({ value, name, place }: { value: Packed; name: string; place?: string }) {
  return (
    <div className="tree mono">
      <Node name={name} value={value} depth={0} place={place ?? ''} path="" />
    </div>
  );
}

interface NodeProps {
  readonly name: string;
  readonly value: Packed;
  readonly depth: number;
  readonly place: string;
  readonly path: string;
}

function Node({ name, value, depth, place, path }: NodeProps) {
  const leads =
    place !== '' &&
    (place === path || place.startsWith(`${path}.`) || place.startsWith(`${path}[`) || path === '');
  const isMarked = place !== '' && place === path;
  const ref = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (isMarked) ref.current?.scrollIntoView({ block: 'center' });
  }, [isMarked]);
  const isBranch = typeof value === 'object' && value !== null;
  if (!isBranch) {
    return (
      <div ref={ref} className="tree-leaf" data-marked={isMarked}>
        <span className="tree-name">{name}</span>
        <Leaf value={value} />
      </div>
    );
  }
  return (
    <Branch
      key={leads ? place : ''}
      name={name}
      value={value}
      depth={depth}
      place={leads ? place : ''}
      path={path}
      marked={isMarked}
      open={leads || depth < OPEN_DEPTH}
    />
  );
}

function Branch({
  name,
  value,
  depth,
  place,
  path,
  marked,
  open: openFirst,
}: NodeProps & { marked: boolean; open: boolean }) {
  const [open, setOpen] = useState(openFirst);
  const [shown, setShown] = useState(SHOWN);
  const length = lengthOf(value);
  const names = length === null ? Object.keys(value as object) : null;
  const count = names?.length ?? length ?? 0;
  const about = names === null ? plural(count, 'item') : plural(count, 'member');
  return (
    <details
      open={open}
      onToggle={({ currentTarget }) => setOpen(currentTarget.open)}
      data-marked={marked}
    >
      <summary>
        <span className="tree-name">{name}</span> <span className="soft">{about}</span>
        {!open && count > 0 && <span className="soft">{preview(value)}</span>}
      </summary>
      {open && (
        <div className="tree-children">
          {Array.from({ length: Math.min(count, shown) }, (_, index) => {
            const key = names?.[index];
            return key === undefined ? (
              <Node
                key={index}
                name={String(index)}
                value={memberOf(value, index)}
                depth={depth + 1}
                place={place}
                path={`${path}[${index}]`}
              />
            ) : (
              <Node
                key={key}
                name={key}
                value={(value as Record<string, Packed>)[key] as Packed}
                depth={depth + 1}
                place={place}
                path={path === '' ? key : `${path}.${key}`}
              />
            );
          })}
          {count > shown && (
            <button
              type="button"
              className="button small plain"
              onClick={() => setShown(shown + SHOWN * 5)}
            >
              {`Show more of the other ${countWords(count - shown)}`}
            </button>
          )}
        </div>
      )}
    </details>
  );
}

function Leaf({ value }: { value: Packed }) {
  const [whole, setWhole] = useState(false);
  if (typeof value !== 'string') {
    return (
      <span className={`tree-${value === null ? 'null' : typeof value}`}>{valueWords(value)}</span>
    );
  }
  const isLong = value.length > TEXT_SHOWN;
  return (
    <span className="tree-string">
      <bdi>{isLong && !whole ? `${value.slice(0, TEXT_SHOWN)}…` : value}</bdi>
      {isLong && (
        <button type="button" className="button small plain" onClick={() => setWhole(!whole)}>
          {whole ? 'Show less' : `Show all ${countWords(value.length)} characters`}
        </button>
      )}
    </span>
  );
}

/** The beginning of a list of plain values, so that one need not open it. */
function preview(value: Packed): string {
  const length = lengthOf(value);
  if (length === null) return '';
  const first = Array.from({ length: Math.min(3, length) }, (_, index) => memberOf(value, index));
  if (first.some((each) => typeof each === 'object' && each !== null && !Array.isArray(each)))
    return '';
  const text = first.map((each) => JSON.stringify(each)).join(', ');
  return ` ${text.slice(0, 60)}${length > 3 || text.length > 60 ? ', …' : ''}`;
}
