import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import sleep from '../../src/tasks/diagnostics/sleep/sleep.task.js';
import spin from '../../src/tasks/diagnostics/spin/spin.task.js';
import validation from '../../src/tasks/geostatistics/cross-validation/cross-validation.task.js';
import idw from '../../src/tasks/geostatistics/idw/idw.task.js';
import kriging from '../../src/tasks/geostatistics/kriging/kriging.task.js';
import variogram from '../../src/tasks/geostatistics/variogram/variogram.task.js';
import { runTask } from './task-run.js';

type Schema = {
  description?: string;
  properties?: Record<string, Schema>;
  items?: Schema;
  required?: string[];
};

/** Paths of the members that nobody described. */
function undescribed(schema: Schema, path = ''): string[] {
  const own = Object.entries(schema.properties ?? {}).flatMap(([name, member]) => [
    ...(member.description ? [] : [`${path}${name}`]),
    ...undescribed(member, `${path}${name}.`),
  ]);
  return schema.items ? [...own, ...undescribed(schema.items, `${path}*.`)] : own;
}

function jsonSchema(schema: z.ZodType): Schema {
  return z.toJSONSchema(schema, {
    target: 'draft-2020-12',
    io: 'input',
    unrepresentable: 'any',
  }) as Schema;
}

describe.each([
  { task: kriging, name: 'kriging' },
  { task: idw, name: 'idw' },
  { task: validation, name: 'cross-validation' },
  { task: variogram, name: 'variogram' },
  { task: sleep, name: 'sleep' },
  { task: spin, name: 'spin' },
])('the task $name', ({ task }) => {
  it('runs its own example', async () => {
    const quick = 'seconds' in task.example ? { ...task.example, seconds: 0.01 } : task.example;
    const results = await runTask(task as Parameters<typeof runTask>[0], quick);
    expect(results).toHaveProperty('message');
    expect(JSON.stringify(results)).not.toContain('null');
  });

  it('describes every parameter in a JSON Schema', () => {
    expect(undescribed(jsonSchema(task.parameters))).toEqual([]);
  });

  it('requires its source and target in that schema', () => {
    const { properties = {}, required = [] } = jsonSchema(task.parameters);
    const both = ['source', 'target'].filter((name) => name in properties);
    expect(required).toEqual(expect.arrayContaining(both));
    for (const name of both.filter((member) => member === 'source')) {
      expect(properties[name]!.required).toEqual(['coordinates', 'values']);
    }
  });
});
