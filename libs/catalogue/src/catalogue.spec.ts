import { randomBytes } from 'node:crypto';
import { hashApiToken, Keyring, newApiToken } from '@baton/security';
import { type TestDatabase, testDatabase } from '@baton/testing';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Catalogue, catalogueDataSource, migrateCatalogue } from './catalogue.js';

let database: TestDatabase;
let catalogue: Catalogue;
const keyring = new Keyring([randomBytes(32).toString('base64')]);
/** Idle connections that break, as they do when the database is dropped at the end. */
const broken: unknown[] = [];
const onError = (error: unknown) => void broken.push(error);

beforeAll(async () => {
  const run = (url: string) => migrateCatalogue({ url, onError }).then(() => undefined);
  database = await testDatabase({ migrate: { name: 'catalogue', run } });
  catalogue = await Catalogue.open({ url: database.url, keyring, onError });
});
afterAll(async () => {
  await catalogue?.close();
  await database?.drop();
});

function definition(name: string, text: string) {
  return { name, text, digest: `d-${text}`, summary: { inputs: {} }, by: 'ann' };
}
async function rows(sql: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  const result = await client.query<Record<string, unknown>>(sql);
  await client.end();
  return result.rows;
}

test('migrations run once: a second start finds nothing to do', async () => {
  expect(await catalogue.isMigrated()).toBe(true);
  expect(await migrateCatalogue({ url: database.url, onError })).toEqual([]);
});

test('unchanged text keeps its version, changed text gets the next, and going back to an old text is a change', async () => {
  const { definitions } = catalogue;
  expect(await definitions.publish(definition('web', 'one'))).toMatchObject({ version: 1, created: true });
  expect(await definitions.publish(definition('web', 'one'))).toMatchObject({ version: 1, created: false });
  expect(await definitions.publish(definition('default/web', 'two'))).toMatchObject({ version: 2, created: true });
  expect(await definitions.publish(definition('web', 'one'))).toMatchObject({ version: 3, created: true });
  expect((await definitions.find('web'))?.version).toBe(3);
  expect((await definitions.find('web', 2))?.text).toBe('two');
  expect((await definitions.versions('web', undefined, 10)).map((item) => item.version)).toEqual([3, 2, 1]);
});

test('twenty that publish at once: one text is one version, twenty texts are twenty versions without a gap', async () => {
  const { definitions } = catalogue;
  const many = Array.from({ length: 20 }, (_, i) => i);
  const same = await Promise.all(many.map(() => definitions.publish(definition('race/same', 'text'))));
  expect(same.map((result) => result.version)).toEqual(many.map(() => 1));
  expect(same.filter((result) => result.created)).toHaveLength(1);
  const different = await Promise.all(many.map((i) => definitions.publish(definition('race/different', `text ${i}`))));
  expect(different.map((result) => result.version).toSorted((a, b) => a - b)).toEqual(many.map((i) => i + 1));
});

test('lists of definitions show the newest version each, page by page', async () => {
  const first = await catalogue.definitions.list(undefined, 2);
  const second = await catalogue.definitions.list(first.at(-1)?.name, 2);
  expect([...first, ...second].map((item) => [item.name, item.version])).toEqual([
    ['default/web', 3],
    ['race/different', 20],
    ['race/same', 1],
  ]);
});

test('the version that was the newest at a time can be found again', async () => {
  const second = await catalogue.definitions.find('web', 2);
  expect((await catalogue.definitions.findPublishedBy('web', second!.publishedAt))?.version).toBe(2);
  expect(await catalogue.definitions.findPublishedBy('web', '2001-01-01T00:00:00Z')).toBeNull();
});

test('connections and secrets are sealed at rest and never come back by the list', async () => {
  const { environments } = catalogue;
  const url = 'postgres://app:hunter2@db/app';
  const put = await environments.put('staging', {
    variables: { region: 'eu' },
    connections: { 'app-db': { type: 'postgresql', url } },
    secrets: { TOKEN: 'swordfish' },
  });
  expect(put).toMatchObject({
    variables: { region: 'eu' },
    connections: { 'app-db': { type: 'postgresql' } },
    secrets: ['TOKEN'],
  });
  expect(JSON.stringify([put, await environments.list(undefined, 10)])).not.toMatch(/hunter2|swordfish/);
  expect(JSON.stringify(await rows('select * from environment_entry'))).not.toMatch(/hunter2|swordfish/);
  expect(await environments.connection('staging', 'app-db')).toEqual({ type: 'postgresql', url });
  expect(await environments.secret('staging', 'TOKEN')).toBe('swordfish');
  expect(await environments.secret('staging', 'NONE')).toBeNull();
});

test('what is left out of an environment stays, what is null goes', async () => {
  const { environments } = catalogue;
  await environments.put('qa', { variables: { a: 1 }, secrets: { ONE: '1', TWO: '2' } });
  const changed = await environments.put('qa', { secrets: { ONE: null } });
  expect(changed).toMatchObject({ variables: { a: 1 }, secrets: ['TWO'] });
});

test('a secret copied to another name does not open there', async () => {
  await catalogue.environments.put('copied', { secrets: { FROM: 'secret' } });
  await rows(`insert into environment_entry (environment, kind, name, sealed)
    select environment, kind, 'TO', sealed from environment_entry where environment = 'copied'`);
  await expect(catalogue.environments.secret('copied', 'TO')).rejects.toThrow('cannot be opened');
});

test('a token is kept as a hash only, and is over when it is revoked', async () => {
  const made = newApiToken();
  const token = {
    ...made,
    name: 'ann',
    role: 'operator' as const,
    groups: ['release'],
    createdBy: 'root',
    expiresAt: null,
  };
  expect(await catalogue.tokens.add(token)).toBe(true);
  expect(await catalogue.tokens.add(token)).toBe(false);
  expect(JSON.stringify(await rows('select * from api_token'))).not.toContain(made.token);
  expect(await catalogue.tokens.find(made.id)).toMatchObject({ hash: hashApiToken(made.token), revokedAt: null });
  expect(await catalogue.tokens.revoke(made.id)).toBe(true);
  expect((await catalogue.tokens.find(made.id))?.revokedAt).not.toBeNull();
  expect(await catalogue.tokens.revoke('nobody')).toBe(false);
});

test('a changed setting is seen by the cache at its next look, and set back it is the default again', async () => {
  const { settingRows, settings } = catalogue;
  await settings.refresh();
  expect(settings.get('quarantine.deaths')).toBe(3);
  await settingRows.change({ 'quarantine.deaths': 50, 'admission.maxRunning': 10 }, 'ann');
  await settings.refresh();
  expect([settings.get('quarantine.deaths'), settings.get('admission.maxRunning')]).toEqual([50, 10]);
  const listed = (await settingRows.list()).find((item) => item.name === 'quarantine.deaths');
  expect(listed).toMatchObject({ value: 50, default: 3, changedBy: 'ann' });
  await settingRows.change({ 'quarantine.deaths': undefined }, 'ann');
  await settings.refresh();
  expect(settings.get('quarantine.deaths')).toBe(3);
});

test('a stored setting that this release cannot read counts as not there', async () => {
  await rows(`insert into setting (name, value, changed_by) values ('polling.claimMs', '{"value":"soon"}', 'x')`);
  expect((await catalogue.settingRows.values())['polling.claimMs']).toBe(1000);
});

test('the audit tells who did what, newest first, page by page', async () => {
  for (const action of ['a', 'b', 'c']) {
    await catalogue.audit.write({ who: 'ann', from: '127.0.0.1', action, subject: 'token/1', detail: { action } });
  }
  const first = await catalogue.audit.list('token/1', undefined, 2);
  expect(first.map((entry) => entry.action)).toEqual(['c', 'b']);
  const rest = await catalogue.audit.list('token/1', first.at(-1)?.id, 2);
  expect(rest).toMatchObject([{ action: 'a', who: 'ann', from: '127.0.0.1', detail: { action: 'a' } }]);
  expect(await catalogue.audit.removeOlderThan(1)).toBe(0);
  await rows("update audit set at = now() - interval '3 days' where action in ('a', 'b')");
  expect(await catalogue.audit.removeOlderThan(2)).toBe(2);
  expect((await catalogue.audit.list('token/1', undefined, 9)).map((entry) => entry.action)).toEqual(['c']);
});

test('somebody listens to a session before it is handed out: one that ends in that moment would end the program', async () => {
  const source = catalogueDataSource({ url: database.url, onError, connections: 1 });
  await source.initialize();
  const runner = source.createQueryRunner();
  const client: unknown = await runner.connect();
  if (!(client instanceof pg.Client)) throw new Error('TypeORM gave no client of pg.');
  // TypeORM's own listener, which comes a moment after it was handed out, and the pool's.
  expect(client.listenerCount('error')).toBe(2);
  await runner.release();
  await source.destroy();
});
