import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useId, useState } from 'react';
import { useApi } from '../api/api-context.js';
import { Markdown } from '../ui/markdown.js';
import { Empty, Failed, Loading } from '../ui/page-state.js';
import { useTitle } from '../ui/use-title.js';

/** The tasks that the organization may run. */
export default function TasksPage() {
  useTitle('Tasks');
  const api = useApi();
  const id = useId();
  const [words, setWords] = useState('');
  const { data, error, refetch } = useQuery({
    queryKey: ['catalogue', api.org],
    queryFn: ({ signal }) => api.catalogue(signal),
    staleTime: 60_000,
  });
  const asked = words.toLowerCase().split(/\s+/);
  const found = data?.filter(({ key, display_name, description }) => {
    const text = `${key} ${display_name} ${description}`.toLowerCase();
    return asked.every((word) => text.includes(word));
  });
  return (
    <>
      <div className="page-head">
        <h1>Tasks</h1>
        <div>
          <label className="hidden-text" htmlFor={id}>
            Search the tasks
          </label>
          <input
            id={id}
            className="input"
            type="search"
            placeholder="Search the tasks"
            value={words}
            onChange={({ target }) => setWords(target.value)}
          />
        </div>
      </div>
      {error !== null && data === undefined && (
        <Failed error={error} onRetry={() => void refetch()} />
      )}
      {error === null && data === undefined && <Loading what="tasks" />}
      {found?.length === 0 && (
        <Empty title="No task matches">
          <p>Look for fewer words.</p>
        </Empty>
      )}
      <ul className="cards">
        {found?.map(({ key, topic, name, display_name, version, description, feature_flag }) => (
          <li key={key} className="panel">
            <h2>
              <Link to="/$org/tasks/$topic/$task" params={{ org: api.org, topic, task: name }}>
                {display_name}
              </Link>
            </h2>
            <p className="small soft mono">
              {`${key} ${version}`}
              {feature_flag !== undefined && ' · preview'}
            </p>
            <div className="small clamp">
              <Markdown text={description} />
            </div>
          </li>
        ))}
      </ul>
    </>
  );
}
