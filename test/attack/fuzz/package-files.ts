import {readdirSync, readFileSync} from 'node:fs'
import path from 'node:path'
import {convert} from '../../../src/convert/convert.js'
import {judgePackage} from './judge-image.js'
import {mutateBytes} from './mutate-bytes.js'
import {mutateJson, mutateJsonLines} from './mutate-json.js'
import {mutateXml} from './mutate-xml.js'
import {makeRepository, type Files} from './package-parser.js'
import type {Parser} from './parser.js'
import {Place} from './place.js'
import type {Random} from './random.js'
import {packed, partsIn} from './repack.js'
import {pinForm, recipeForm} from './kept-forms.js'
import {indexForm, metadataForm, payloadForm} from './packages.js'

/** What stands behind the digests of a package's own metadata as well. */
const FORMS = [metadataForm, indexForm, payloadForm, recipeForm, pinForm]

function changedPart(random: Random, part: string, bytes: Buffer): Buffer {
  if (random.chance(0.9)) return bytes
  if (part.endsWith('.xml')) return mutateXml(random, bytes)
  if (part.endsWith('.json')) return mutateJson(random, bytes)
  return part.endsWith('.jsonl') ? mutateJsonLines(random, bytes) : mutateBytes(random, bytes)
}

/** Package files of transship's own, changed anywhere, or in their parts with every digest above made to fit. */
const appx: Parser = {
  name: 'appx',
  reads: 'package files, and their parts behind right hashes',
  isEndToEnd: true,
  async prepare(scratch) {
    const place = new Place(scratch)
    const {root, top} = await makeRepository(scratch)
    const folder = path.join(scratch, 'packages')
    await convert(`inbox:${root}:${top}`, `appx:${folder}`, {layers: 'chain'})
    const names = readdirSync(folder).filter((name) => name.endsWith('.appx'))
    const whole = new Map(names.map((name) => [name, readFileSync(path.join(folder, name))]))
    const name = names.find((each) => each.startsWith(top)) ?? names[0] ?? ''
    const original = whole.get(name)!
    const parts = await partsIn(original)
    const files: Files = new Map([...parts].map(([part, bytes]) => [path.join(top, part), bytes]))
    return {
      async make(random) {
        const choice = random.int(10)
        if (choice < 3) return mutateBytes(random, original)
        if (choice < 6)
          return packed(new Map([...parts].map(([part, bytes]) => [part, changedPart(random, part, bytes)])))
        const changed = new Map(files)
        const form = random.pick(FORMS)
        form.put(form.make(random, changed, top), changed, top)
        return packed(new Map([...changed].map(([file, bytes]) => [path.relative(top, file), bytes])))
      },
      async run(input) {
        const files = {...Object.fromEntries(whole), [name]: input}
        const {reference} = place.begin('appx', files, name)
        await place.judged(() => judgePackage(reference, {out: place.out}))
      },
    }
  },
}

export const FILE_PARSERS: readonly Parser[] = [appx]
