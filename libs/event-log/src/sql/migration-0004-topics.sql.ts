/**
 * Records of Kafka topics for `receive: { topic }`: what a receiver asks of a record, the topics that published
 * definitions name, how far each partition of them was taken in, and the records themselves, each for one receiver.
 */
export const migration0004Topics = /* sql */ `
alter table receiver add column conditions jsonb;
create index receiver_topic on receiver (topic, opened_at) where topic is not null;

create table watched_topic (
  topic text primary key,
  keep_ms bigint,
  watched_at timestamptz not null default now()
);

create table topic_position (
  topic text not null,
  partition int not null,
  next_offset bigint not null,
  moved_at timestamptz not null default now(),
  primary key (topic, partition)
) with (fillfactor = 50);

create table topic_record (
  topic text not null,
  id text not null,
  number bigint generated always as identity,
  key text,
  record jsonb not null,
  received_at timestamptz not null default now(),
  keep_until timestamptz not null,
  claimed_stream uuid,
  claimed_path text,
  delivered_at timestamptz,
  primary key (topic, id)
);
create index topic_record_open on topic_record (topic, number) where delivered_at is null and claimed_stream is null;
create index topic_record_key on topic_record (topic, key, number) where delivered_at is null and claimed_stream is null;
create unique index topic_record_claimed on topic_record (claimed_stream, claimed_path)
  where delivered_at is null and claimed_stream is not null;
create index topic_record_kept on topic_record (keep_until);
`;
