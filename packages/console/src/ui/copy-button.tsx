import { useEffect, useState } from 'react';

const SAID_FOR_MS = 2_000;

/** Copies a text; says so. @param text what to copy, or what makes it */
export function CopyButton({ text, label }: { text: string | (() => string); label: string }) {
  const [said, setSaid] = useState<string | null>(null);
  useEffect(() => {
    if (said === null) return undefined;
    const timer = setTimeout(() => setSaid(null), SAID_FOR_MS);
    return () => clearTimeout(timer);
  }, [said]);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(typeof text === 'string' ? text : text());
      setSaid('Copied');
    } catch {
      setSaid('Copying is not allowed here');
    }
  };
  return (
    <button type="button" className="button small" onClick={() => void copy()}>
      <span role="status">{said ?? label}</span>
    </button>
  );
}
