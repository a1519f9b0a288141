import { useEffect, useState } from 'react';
import { serviceNow } from '../api/service-clock.js';

/** Now by the service's clock, in milliseconds; the page is drawn anew so often. */
export function useNow(everyMs = 1_000): number {
  const [now, setNow] = useState(serviceNow);
  useEffect(() => {
    const timer = setInterval(() => !document.hidden && setNow(serviceNow()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}
