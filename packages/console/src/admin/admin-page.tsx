import { useTitle } from '../ui/use-title.js';

/** Limits, usage and audit. */
export default function AdminPage() {
  useTitle('Administration');
  return <h1>Administration</h1>;
}
