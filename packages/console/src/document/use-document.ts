import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useApi } from '../api/api-context.js';
import { isPassing } from '../api/query-client.js';
import { SERVICE_URL } from '../api/service-address.js';
import { loadDocument } from './load-document.js';

const MAX_TRIES = 4;

/**
 * A JSON document of a job, read in a thread of its own.
 * @param path below the organization's address
 */
export function useDocument(path: string, enabled = true) {
  const { org } = useApi();
  const [bytes, setBytes] = useState(0);
  const query = useQuery({
    queryKey: ['document', org, path],
    queryFn: ({ signal }) =>
      loadDocument(`${SERVICE_URL}/compute/orgs/${org}/${path}`, signal, setBytes),
    enabled,
    // What a job was given or left does not change.
    staleTime: Infinity,
    gcTime: 60_000,
    structuralSharing: false,
    refetchOnWindowFocus: false,
    retry: (failures, error) => failures < MAX_TRIES && isPassing(error),
  });
  return { ...query, bytesLoaded: bytes };
}
