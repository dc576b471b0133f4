import type { TokenRepository } from '@baton/catalogue';
import { hashApiToken, tokenId } from '@baton/security';

/** The embedded start's token: its hash is put into the catalogue when it is not there. It belongs to the user admin. */
export async function bootstrapAdmin(tokens: Pick<TokenRepository, 'add'>, token: string): Promise<void> {
  const id = tokenId(token);
  if (id === null) throw new Error('BATON_ADMIN_TOKEN is not of the form bt_ID_SECRET.');
  const made = { id, hash: hashApiToken(token), name: 'admin', role: 'admin' as const, groups: [] };
  await tokens.add({ ...made, createdBy: 'system', expiresAt: null });
}
