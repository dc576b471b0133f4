import { migrateArtifacts } from '@baton/artifacts';
import { migrateCatalogue } from '@baton/catalogue';
import { migrateDatabase, migrateLog } from '@baton/event-log';

/** Log, artifacts and catalogue brought to this release, under one lock: two that start at once do it once. */
export async function migrateAll(url: string, onError: (error: unknown) => void): Promise<void> {
  await migrateDatabase({ url, onError }, [
    { name: 'log', run: migrateLog },
    { name: 'artifacts', run: migrateArtifacts },
    { name: 'catalogue', run: () => migrateCatalogue({ url, onError }).then(() => undefined) },
  ]);
}
