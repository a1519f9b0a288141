import { plural } from '../format/number-words.js';
import { lengthOf, type Packed } from '../document/packed.js';
import type { Difference } from './find-differences.js';

/** What differs between two documents, place by place. */
export function Differences({
  differences,
  names: [one, other],
}: {
  differences: readonly Difference[];
  names: readonly [string, string];
}) {
  if (differences.length === 0) return <p className="soft">Nothing differs.</p>;
  return (
    <div className="scroll" tabIndex={0} role="group" aria-label="Differences">
      <table className="table">
        <thead>
          <tr>
            <th scope="col">Place</th>
            <th scope="col">{one}</th>
            <th scope="col">{other}</th>
          </tr>
        </thead>
        <tbody>
          {differences.map(({ place, before, after }) => (
            <tr key={place}>
              <th scope="row" className="mono">
                {place}
              </th>
              <td className="mono">{told(before)}</td>
              <td className="mono">{told(after)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function told(value: Packed | undefined) {
  if (value === undefined) return <span className="soft">nothing</span>;
  const length = lengthOf(value);
  if (length !== null) return plural(length, 'item');
  const text = JSON.stringify(value);
  return <bdi>{text.length > 200 ? `${text.slice(0, 200)}…` : text}</bdi>;
}
