import {writeFileSync} from 'node:fs'
import path from 'node:path'
import {encodeHive} from '../src/codecs/registry-hive/encode-hive.js'
import {keyOf} from '../src/codecs/registry-hive/hive-key.js'

/* Empty hives for hivexregedit to fill: it cannot make one, and gives new keys the descriptor of the key above. */

/** O:BAG:BAD:(A;OICI;KA;;;BA)(A;OICI;KA;;;SY), self-relative. */
const SECURITY = Buffer.from(
  '0100048014000000240000000000000034000000' +
    '01020000000000052000000020020000' +
    '01020000000000052000000020020000' +
    '0200340002000000000318003f000f0001020000000000052000000020020000000314003f000f00010100000000000512000000',
  'hex',
)

const [folder = '.'] = process.argv.slice(2)
for (const name of ['SYSTEM', 'SOFTWARE', 'SAM', 'SECURITY', 'DEFAULT']) {
  const root = keyOf({name, security: SECURITY, lastWrite: 131_000_000_000_000_000n})
  writeFileSync(path.join(folder, `${name}.hiv`), encodeHive(root, {minorVersion: 3, isLayered: false}))
}
