import type { TokenCreated, TokenPage } from '@baton/contracts';
import { newApiToken } from '@baton/security';
import { Controller, Inject } from '@nestjs/common';
import { audit } from '../audit.trail.js';
import type { Caller as CallerType } from '../http/caller.types.js';
import { Caller, type In, Input, Operation } from '../http/operation.decorator.js';
import { pageOf } from '../http/paging.js';
import { refuse } from '../http/problem.error.js';
import { IntakeServices } from '../intake.services.js';

@Controller()
export class TokensController {
  constructor(@Inject(IntakeServices) private readonly services: IntakeServices) {}

  @Operation('createToken')
  async create(@Input() { body }: In<'createToken'>, @Caller() caller: CallerType): Promise<TokenCreated> {
    const made = newApiToken();
    const { name, role, groups, expiresAt } = body;
    const token = { id: made.id, hash: made.hash, name, role, groups, createdBy: caller.id };
    await this.services.catalogue.tokens.add({ ...token, expiresAt: expiresAt ?? null });
    await audit(this.services, caller, 'token.create', made.id, { name, role, groups });
    const item = await this.services.catalogue.tokens.item(made.id);
    if (!item) throw new Error(`Expected the token ${made.id} to be there after it was made, but it is not.`);
    return { ...item, token: made.token };
  }

  @Operation('listTokens')
  async list(@Input() { query }: In<'listTokens'>): Promise<TokenPage> {
    const rows = await this.services.catalogue.tokens.list(query.after, query.limit + 1);
    return pageOf(rows, query.limit, (last) => last.id);
  }

  @Operation('revokeToken')
  async revoke(@Input() { params }: In<'revokeToken'>, @Caller() caller: CallerType): Promise<void> {
    const known = await this.services.catalogue.tokens.revoke(params.id);
    if (!known) throw refuse('not-found', `there is no token ${params.id}`, { remedy: 'GET /v1/tokens lists them' });
    await audit(this.services, caller, 'token.revoke', params.id);
  }
}
