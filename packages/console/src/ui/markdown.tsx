import type { ReactNode } from 'react';

/** More is not drawn: a text is for reading. */
const MOST_CHARACTERS = 100_000;
const INLINE = /(`[^`]+`|\*\*[^*]+\*\*|\*[^*\s][^*]*\*|\[[^\]]+\]\(https?:\/\/[^\s)]+\))/;

/**
 * A little Markdown: headings, paragraphs, lists, code, emphasis, links. No HTML, and no picture of another
 * host: whatever else the text has is shown as it is.
 */
export function Markdown({ text }: { text: string }) {
  const blocks = text
    .slice(0, MOST_CHARACTERS)
    .replaceAll('\r', '')
    .split(/\n{2,}|(?=^```)|(?<=^```)\n/m)
    .filter((block) => block.trim() !== '');
  return <div className="markdown">{blocks.map((block, index) => blockOf(block, index))}</div>;
}

function blockOf(block: string, key: number): ReactNode {
  const fence = /^```[^\n]*\n?([\s\S]*?)(?:```)?$/.exec(block);
  if (fence !== null) return <pre key={key}>{fence[1]}</pre>;
  const heading = /^(#{1,6})\s+(.*)/.exec(block);
  if (heading !== null) {
    const [whole, , words = ''] = heading;
    const rest = block.slice(whole.length).trim();
    return (
      <div key={key}>
        <h3>{inline(words)}</h3>
        {rest !== '' && <p>{inline(rest)}</p>}
      </div>
    );
  }
  const lines = block.split('\n');
  if (lines.every((line) => /^\s*([-*]|\d+\.)\s+/.test(line))) {
    const items = lines.map((line, index) => (
      <li key={index}>{inline(line.replace(/^\s*([-*]|\d+\.)\s+/, ''))}</li>
    ));
    return /^\s*\d/.test(block) ? <ol key={key}>{items}</ol> : <ul key={key}>{items}</ul>;
  }
  return <p key={key}>{inline(block)}</p>;
}

function inline(text: string): ReactNode[] {
  return text.split(INLINE).map((part, index) => {
    if (/^`.+`$/.test(part)) return <code key={index}>{part.slice(1, -1)}</code>;
    if (/^\*\*.+\*\*$/.test(part)) return <b key={index}>{part.slice(2, -2)}</b>;
    if (/^\*[^*]+\*$/.test(part)) return <em key={index}>{part.slice(1, -1)}</em>;
    const link = /^\[([^\]]+)\]\((https?:\/\/[^\s)]+)\)$/.exec(part);
    return link === null ? (
      part
    ) : (
      <a key={index} href={link[2]} rel="noopener noreferrer nofollow" target="_blank">
        {link[1]}
      </a>
    );
  });
}
