import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What is not a stream of facts: definitions, environments, tokens, settings, audit. */
export class Catalogue1763900000000 implements MigrationInterface {
  readonly name = 'Catalogue1763900000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(/* sql */ `
      create table definition (
        name text primary key,
        latest_version int not null,
        text_digest text not null
      );
      create table definition_version (
        name text not null,
        version int not null,
        digest text not null,
        text text not null,
        summary jsonb not null,
        published_at timestamptz not null default date_trunc('milliseconds', now()),
        published_by text not null,
        primary key (name, version)
      );
      create table environment (
        name text primary key,
        variables jsonb not null,
        updated_at timestamptz not null default now()
      );
      create table environment_entry (
        environment text not null references environment (name) on delete cascade,
        kind text not null check (kind in ('connection', 'secret')),
        name text not null,
        type text,
        sealed text not null,
        updated_at timestamptz not null default now(),
        primary key (environment, kind, name)
      );
      create table api_token (
        id text primary key,
        name text not null,
        hash text not null,
        role text not null check (role in ('viewer', 'operator', 'author', 'admin')),
        groups jsonb not null default '[]',
        created_at timestamptz not null default now(),
        created_by text not null,
        expires_at timestamptz,
        revoked_at timestamptz
      );
      create table setting (
        name text primary key,
        value jsonb not null,
        changed_at timestamptz not null default now(),
        changed_by text not null
      );
      create table audit (
        id bigint generated always as identity primary key,
        at timestamptz not null default now(),
        who text not null,
        from_address text,
        action text not null,
        subject text not null,
        detail jsonb not null default '{}'
      );
      create index audit_subject on audit (subject, id desc);
      create index audit_at on audit (at);
    `);
  }

  /** Forward only (design 2, "Evolution"): a catalogue is restored from a backup, never migrated back. */
  async down(): Promise<void> {
    throw new Error('The catalogue is migrated forward only: restore a backup to go back.');
  }
}
