import { Link } from '@tanstack/react-router';
import { useTitle } from '../ui/use-title.js';

export function NoSuchPage() {
  useTitle('Nothing here');
  return (
    <div className="state">
      <h1>Nothing here</h1>
      <p>This address leads to no page of the console.</p>
      <Link to="/" className="button">
        Go to the jobs
      </Link>
    </div>
  );
}
