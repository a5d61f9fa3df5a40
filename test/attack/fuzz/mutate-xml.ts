import {mutateBytes} from './mutate-bytes.js'
import {BAD_NAMES} from './mutate-json.js'
import type {Random} from './random.js'

const PIECES = [
  '<!DOCTYPE x [<!ENTITY a "b">]>',
  '<!-- -->',
  '<![CDATA[x]]>',
  '<?pi x?>',
  '&a;',
  '&amp;',
  '&#0;',
  '&#x110000;',
  '<a>',
  '</a>',
  '<a b="c" b="d"/>',
  'xmlns:x="y"',
  '\u0000',
]

/** XML with elements moved, repeated or taken out, and values changed. */
export function mutateXml(random: Random, original: Uint8Array): Buffer {
  if (random.isPlain) return Buffer.from(original)
  const tokens = Buffer.from(original)
    .toString('utf8')
    .split(/(<[^>]*>)/)
  for (let count = random.few(); count > 0; count--) {
    const at = random.int(tokens.length)
    const token = tokens[at] ?? ''
    const choice = random.int(7)
    if (choice === 0) tokens.splice(at, 1)
    else if (choice === 1) tokens.splice(random.int(tokens.length + 1), 0, token)
    else if (choice === 2) tokens.splice(at, 0, random.pick(PIECES))
    else {
      const values = [...token.matchAll(/"([^"]*)"/g)]
      if (values.length === 0) continue
      const value = random.pick(values)
      const odd = random.pick([
        ...BAD_NAMES,
        '0',
        '-1',
        '1e9',
        '18446744073709551616',
        '1.0.0.0',
        '1.0.0.65536',
        'neutral',
      ])
      const made = random.chance(0.3) ? `${value[1] ?? ''}${odd}` : odd
      tokens[at] = token.replace(value[0], `"${made.replaceAll('"', '&quot;')}"`)
    }
  }
  const bytes = Buffer.from(tokens.join(''))
  return random.chance(0.85) ? bytes : mutateBytes(random, bytes, {words: PIECES})
}
