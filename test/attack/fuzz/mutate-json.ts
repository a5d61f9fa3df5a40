import {mutateBytes} from './mutate-bytes.js'
import type {Random} from './random.js'

type Json = unknown
type Box = Record<string | number, Json>

/** Names that lead out, or mean something else to Windows, a shell, a terminal, a URL. */
export const BAD_NAMES: readonly string[] = [
  '',
  '.',
  '..',
  '../canary',
  '../../canary',
  '..\\..\\canary',
  '/canary',
  'C:\\canary',
  'C:canary',
  '\\\\host\\share\\canary',
  'docker/../../canary',
  'Files/../../canary',
  'NUL',
  'COM1.txt',
  'a:b',
  'a:b:$DATA',
  'dot.',
  'space ',
  'a\u0000b',
  'a\nb',
  '\u001b[2Jred',
  '\u202egnp.exe',
  'a\ud800b',
  '%2e%2e%2fcanary',
  '$(touch canary)',
  '-rf',
  'http://169.254.169.254/latest',
  'file:///etc/passwd',
  '__proto__',
  'constructor',
  'hasOwnProperty',
]

const VALUES: readonly (() => Json)[] = [
  () => null,
  () => true,
  () => false,
  () => 0,
  () => -1,
  () => 1,
  () => 0.5,
  () => 2 ** 31,
  () => 2 ** 53,
  () => -(2 ** 53),
  () => 1e308,
  () => '',
  () => '0',
  () => [],
  () => ({}),
  () => [null],
  () => [[]],
  () => ({'': null}),
  () => 'sha256:',
  () => `sha256:${'0'.repeat(64)}`,
  () => `sha256:${'G'.repeat(64)}`,
  () => `sha512:${'a'.repeat(128)}`,
  () => `sha256:${'a'.repeat(64)}`.toUpperCase(),
  () => '9999-12-31T23:59:59.9999999Z',
  () => '0000-00-00T00:00:00Z',
  () => '2024-01-02T03:04:05.123456789+23:59',
  () => '4294967295.4294967295.4294967295.4294967295',
  () => 'CN=A_B_1.0.0.0',
  () => 'windows',
  () => 'linux',
  () => 'amd64',
  () => 'x'.repeat(70_000),
  () => Array.from({length: 3000}, () => 'x'),
  () => JSON.parse(`${'['.repeat(600)}${']'.repeat(600)}`) as Json,
]

/** Every object or list in it, with the value itself in a box. */
function boxesOf(value: Json, into: Box[] = []): Box[] {
  if (value !== null && typeof value === 'object') {
    into.push(value as Box)
    for (const each of Object.values(value as Box)) boxesOf(each, into)
  }
  return into
}

function oddValue(random: Random, root: Json): Json {
  const choice = random.int(10)
  if (choice < 4) return random.pick(VALUES)()
  if (choice < 7) return random.pick(BAD_NAMES)
  // Something that stands elsewhere in the document.
  const box = random.pick(boxesOf(root))
  const keys = Object.keys(box)
  return keys.length === 0 ? null : structuredClone(box[random.pick(keys)])
}

function oddText(random: Random, text: string): string {
  const choice = random.int(6)
  if (choice === 0) return text + random.pick(BAD_NAMES)
  if (choice === 1) return random.pick(BAD_NAMES) + text
  if (choice === 2) return text.toUpperCase()
  if (choice === 3) return text.slice(0, random.int(text.length + 1))
  const at = random.int(text.length + 1)
  return (
    text.slice(0, at) +
    random.pick(['0', ' ', '/', '\\', ':', '\u0000', '.', '_', 'é', 'ı', '\u{1f600}']) +
    text.slice(at)
  )
}

function oddNumber(random: Random, value: number): number {
  return random.pick([value + 1, value - 1, -value, value * 2, value + 0.5, value * 1e6])
}

function put(box: Box, key: string | number, value: Json): void {
  // `__proto__` as JSON.parse gives it: a key of its own.
  Object.defineProperty(box, key, {value, enumerable: true, configurable: true, writable: true})
}

function changeOne(random: Random, root: {value: Json}): void {
  const box = random.pick(boxesOf(root))
  const keys = Object.keys(box)
  if (keys.length === 0 || random.chance(0.08)) {
    if (Array.isArray(box)) box.push(oddValue(random, root))
    else
      put(
        box,
        random.pick([...BAD_NAMES, 'urls', 'annotations', 'platform', 'data', 'subject']),
        oddValue(random, root),
      )
    return
  }
  const key = random.pick(keys)
  const old = box[key]
  const choice = random.int(10)
  if (choice < 2) {
    if (Array.isArray(box)) box.splice(Number(key), 1)
    else Reflect.deleteProperty(box, key)
  } else if (choice < 3 && Array.isArray(box)) box.splice(Number(key), 0, structuredClone(old))
  else if (choice < 7 && typeof old === 'string') put(box, key, oddText(random, old))
  else if (choice < 7 && typeof old === 'number') put(box, key, oddNumber(random, old))
  else put(box, key, oddValue(random, root))
}

/** Undefined for what changes have made deeper than a stack is. */
function findText(value: Json): Buffer | undefined {
  try {
    return Buffer.from(value === undefined ? 'null' : JSON.stringify(value))
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}

/** JSON with one or few of its values, keys or bytes changed; mostly still JSON. */
export function mutateJson(random: Random, original: Uint8Array): Buffer {
  if (random.isPlain) return Buffer.from(original)
  let document: Json
  try {
    document = JSON.parse(
      Buffer.from(original)
        .toString('utf8')
        .replace(/^\ufeff/, ''),
    ) as Json
  } catch {
    return mutateBytes(random, original)
  }
  const root = {value: document}
  for (let count = random.few(); count > 0; count--) changeOne(random, root)
  const bytes = findText(root.value)
  if (bytes === undefined) return mutateBytes(random, original)
  if (random.chance(0.85)) return bytes
  return mutateBytes(random, bytes, {
    words: ['\ufeff', '"__proto__":{},', '{}', '[', '}', '\\u0000', '1e999', '//', ','],
  })
}

/** The same for JSON in lines. */
export function mutateJsonLines(random: Random, original: Uint8Array): Buffer {
  if (random.isPlain) return Buffer.from(original)
  const lines = Buffer.from(original).toString('utf8').split('\n')
  for (let count = random.few(); count > 0; count--) {
    const at = random.int(lines.length)
    const line = lines[at] ?? ''
    const choice = random.int(8)
    if (choice === 0) lines.splice(at, 1)
    else if (choice === 1) lines.splice(random.int(lines.length), 0, line)
    else if (choice === 2) lines.splice(at, 1, line.slice(0, random.int(line.length + 1)))
    else lines[at] = mutateJson(random, Buffer.from(line)).toString('utf8')
  }
  return Buffer.from(lines.join('\n'))
}
