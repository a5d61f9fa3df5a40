import {mkdirSync, rmSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {Config} from '@oclif/core'
import {referenceFiles} from './reference-files.js'

/* `npm run docs:reference`: writes docs/cli and man again, from the help of the commands. */

const root = path.resolve(import.meta.dirname, '..', '..', '..')
for (const folder of ['docs/cli', 'man']) rmSync(path.join(root, folder), {recursive: true, force: true})
for (const [name, text] of referenceFiles(await Config.load(root))) {
  const file = path.join(root, name)
  mkdirSync(path.dirname(file), {recursive: true})
  writeFileSync(file, text)
}
