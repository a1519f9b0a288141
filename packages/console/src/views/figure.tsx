import type { ReactNode } from 'react';

/** A picture under its title. */
export function Figure({
  title,
  tools,
  children,
}: {
  title: string;
  tools?: ReactNode;
  children: ReactNode;
}) {
  return (
    <section className="panel" aria-label={title}>
      <div className="panel-head">
        <h2>{title}</h2>
        {tools}
      </div>
      {children}
    </section>
  );
}

/** Said where the results have not what the task's hint names. */
export function NothingToDraw({ title, what }: { title: string; what: string }) {
  return (
    <Figure title={title}>
      <p className="soft">{`Nothing to draw: ${what}.`}</p>
    </Figure>
  );
}
