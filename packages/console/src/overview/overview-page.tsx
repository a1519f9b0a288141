import { useTitle } from '../ui/use-title.js';

/** How the organization's work goes. */
export default function OverviewPage() {
  useTitle('Overview');
  return <h1>Overview</h1>;
}
