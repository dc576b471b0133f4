import { type Resource, resourceFromAttributes } from '@opentelemetry/resources';

type Environment = Readonly<Record<string, string | undefined>>;

/** Who measures: OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES before what the service calls itself. */
export function resourceOf(
  name: string,
  environment: Environment = process.env,
  more: Readonly<Record<string, string>> = {},
): Resource {
  const own = {
    'service.name': name,
    'service.version': environment['npm_package_version'] ?? '0',
    ...more,
  };
  const given = environment['OTEL_SERVICE_NAME']?.trim();
  return resourceFromAttributes({
    ...own,
    ...attributesOf(environment['OTEL_RESOURCE_ATTRIBUTES'] ?? ''),
    ...(given ? { 'service.name': given } : {}),
  });
}

/** `key=value,key=value`, percent-encoded; what is not of that form is left out. */
function attributesOf(text: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const pair of text.split(',')) {
    const at = pair.indexOf('=');
    if (at <= 0) continue;
    const value = pair.slice(at + 1).trim();
    try {
      found[pair.slice(0, at).trim()] = decodeURIComponent(value);
    } catch {
      found[pair.slice(0, at).trim()] = value;
    }
  }
  return found;
}
