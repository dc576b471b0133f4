import type { Json } from '../json.types.js';
import { isTemplate } from './field-schemas.js';

const legal = /^[a-zA-Z0-9._-]{1,249}$/;

/** What Kafka takes for the name of a topic. */
export function isTopicName(name: string): boolean {
  return legal.test(name) && name !== '.' && name !== '..';
}

/** The fault of a topic's name as it is written, for a descriptor's `check`. */
export function topicFault(topic: Json | undefined): { field: string; message: string; remedy: string }[] {
  if (typeof topic !== 'string' || isTemplate(topic) || isTopicName(topic)) return [];
  return [
    {
      field: 'topic',
      message: `"${topic}" cannot be the name of a topic.`,
      remedy: 'Use letters, digits, ".", "_" and "-", at most 249.',
    },
  ];
}
