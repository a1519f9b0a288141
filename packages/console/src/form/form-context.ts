import { createContext, useContext } from 'react';
import type { JsonSchema } from './json-schema.js';

/** A fault at a place in the parameters. */
export interface FieldFault {
  /** `source.values[3]`: without `parameters.` before it. */
  readonly place: string;
  readonly reason: string;
}

/** What all fields of a form share. */
export interface FormContext {
  readonly root: JsonSchema;
  readonly faults: readonly FieldFault[];
  /** Begins the ids of the fields. */
  readonly id: string;
}

const Context = createContext<FormContext | null>(null);
export const FormProvider = Context;

export function useForm(): FormContext {
  const context = useContext(Context);
  if (context === null) throw new Error('This field is in no form.');
  return context;
}

/**
 * What is wrong at a place.
 * @param whole whether what lies within has no fields of its own: its faults are told here
 */
export function useFaults(place: string, whole: boolean): readonly string[] {
  const { faults } = useForm();
  return faults
    .filter((fault) => fault.place === place || (whole && isWithin(fault.place, place)))
    .map((fault) => {
      const where = fault.place.slice(place.length);
      return where === '' ? fault.reason : `${where}: ${fault.reason}`;
    });
}

export const isWithin = (place: string, outer: string): boolean =>
  outer === '' || place.startsWith(`${outer}.`) || place.startsWith(`${outer}[`);

/** The id of the field at a place: an address can lead to it. */
export const idOf = (form: string, place: string): string =>
  `${form}-${place.replaceAll(/[^\w]+/g, '-')}`;

/** The place of a member. */
export const within = (place: string, name: string | number): string =>
  typeof name === 'number' ? `${place}[${name}]` : place === '' ? name : `${place}.${name}`;
