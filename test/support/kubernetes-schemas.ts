import { ScaledObject } from '@kubernetes-models/keda/keda.sh/v1alpha1/ScaledObject';
import { TriggerAuthentication } from '@kubernetes-models/keda/keda.sh/v1alpha1/TriggerAuthentication';
import { ServiceMonitor } from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/ServiceMonitor';
import { Deployment } from 'kubernetes-models/apps/v1/Deployment';
import { HorizontalPodAutoscaler } from 'kubernetes-models/autoscaling/v2/HorizontalPodAutoscaler';
import { Job } from 'kubernetes-models/batch/v1/Job';
import { Ingress } from 'kubernetes-models/networking.k8s.io/v1/Ingress';
import { NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicy';
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1/PodDisruptionBudget';
import { Service } from 'kubernetes-models/v1/Service';
import { ServiceAccount } from 'kubernetes-models/v1/ServiceAccount';

/** Of what kinds a chart may be, here: another kind needs its schema first. */
const KINDS: readonly { apiVersion: string; kind: string }[] = [
  Deployment,
  HorizontalPodAutoscaler,
  Job,
  ScaledObject,
  TriggerAuthentication,
  ServiceMonitor,
  Ingress,
  NetworkPolicy,
  PodDisruptionBudget,
  Service,
  ServiceAccount,
];

/** A class of manifests: its instances are checked, and so is anything else that is called one. */
interface Model {
  readonly prototype: { validate(this: unknown): void };
}

interface Fault {
  readonly instancePath: string;
  readonly keyword: string;
  readonly params: object;
}

/** What is wrong with a manifest by the schema of its kind, field by field; empty when nothing is. */
export function manifestFaults(manifest: { apiVersion: string; kind: string }): string[] {
  const { apiVersion, kind } = manifest;
  const model = KINDS.find((known) => known.apiVersion === apiVersion && known.kind === kind);
  if (model === undefined) {
    return [`there is no schema for ${apiVersion} ${kind}`];
  }
  const asked = new Map<string, Set<string>>();
  return [
    ...against(model as unknown as Model, watched(manifest, '', asked)),
    ...unasked(manifest, '', asked),
  ];
}

/** Fields whose values the schema does not allow. */
function against(model: Model, manifest: unknown): string[] {
  try {
    model.prototype.validate.call(manifest);
    return [];
  } catch (error) {
    const { errors, message } = error as Error & { errors?: readonly Fault[] };
    return (
      errors?.map(
        ({ instancePath, keyword, params }) =>
          `${instancePath} is against ${keyword} ${JSON.stringify(params)}`,
      ) ?? [message]
    );
  }
}

/**
 * The same data, noting which fields are asked for. These schemas take fields that they do not know, as a
 * cluster does that drops them; but they ask for all that they do know, so that the others are mistakes.
 */
function watched<T>(data: T, path: string, asked: Map<string, Set<string>>): T {
  if (typeof data !== 'object' || data === null) {
    return data;
  }
  const fields = new Set<string>();
  asked.set(path, fields);
  return new Proxy(data, {
    get(target, name) {
      const value = Reflect.get(target, name) as unknown;
      if (typeof name === 'symbol') return value;
      fields.add(name);
      return watched(value, `${path}/${name}`, asked);
    },
  });
}

function unasked(data: unknown, path: string, asked: Map<string, Set<string>>): string[] {
  if (typeof data !== 'object' || data === null) {
    return [];
  }
  // Never looked into: the schema takes anything here.
  const fields = asked.get(path);
  if (fields === undefined || fields.size === 0) {
    return [];
  }
  return Object.entries(data).flatMap(([name, value]) =>
    fields.has(name)
      ? unasked(value, `${path}/${name}`, asked)
      : [`${path}/${name} is no field of the schema`],
  );
}
