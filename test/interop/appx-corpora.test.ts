import assert from 'node:assert/strict'
import {createHash} from 'node:crypto'
import {existsSync, readdirSync, readFileSync, statSync} from 'node:fs'
import path from 'node:path'
import {verify} from '../../src/index.js'
import {decodeManifest} from '../../src/codecs/appx/manifest.js'
import {MANIFEST} from '../../src/codecs/appx/part-name.js'
import {verifyParts} from '../../src/codecs/appx/verify-container.js'
import {TransshipError} from '../../src/model/errors.js'
import {Container} from '../../src/transports/appx/container.js'
import {findPartialCorpus} from '../helpers/corpora.js'
import {expectationsIn, type Expectation} from '../helpers/package-corpora.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'
import {requireTool, runTool} from '../helpers/tools.js'

/*
 * The packages that msix-packaging, Microsoft's own reader, tests itself with, and its verdicts. transship may refuse what
 * that reader takes, for a true reason, and never takes what it refuses, but for signatures, which it does not check.
 */

/** Errors of that reader that speak of who signed a package; `docs/compatibility.md` explains. */
const SIGNATURE = new Set(['CertNotTrusted', 'SignatureInvalid', 'PublisherMismatch', 'MissingAppxSignatureP7X'])

/** Our word for each other error of that reader. */
const CODES: Readonly<Record<string, readonly string[]>> = {
  FileSeek: ['ARCHIVE_TRUNCATED'],
  BlockMapSemanticError: ['ARCHIVE_CONTRADICTORY', 'MANIFEST_INVALID'],
  FileNotFound: ['ARCHIVE_CONTRADICTORY'],
  MissingAppxBlockMapXML: ['MANIFEST_MISSING'],
  MissingAppxManifestXML: ['MANIFEST_MISSING'],
  XmlFatal: ['MANIFEST_INVALID'],
}

/** Files that the list does not judge and we refuse: code, and what the reason says. */
const REFUSALS: Readonly<Record<string, readonly [code: string, why: RegExp]>> = {
  'InvalidSignatureBadCodeIntegrity.appx': ['ARCHIVE_CONTRADICTORY', /where its compressed blocks begin/],
  'InvalidSignatureInvalidCodeIntegrityXML.appx': ['ARCHIVE_CONTRADICTORY', /where its compressed blocks begin/],
  'OPC_E_ZIP_CORRUPTED_ARCHIVE.appx': ['ARCHIVE_CORRUPT', /does not end where its end record begins/],
}

/** Bundles that are told by more than their manifest. */
const NO_BUNDLE_MANIFEST = 'ManifestIsMissing.appxbundle'

interface Reading {
  readonly error?: TransshipError
  /** SHA-256 of each part that the block map lists, by path. */
  readonly parts: Readonly<Record<string, string>>
}

async function readingOf(file: string): Promise<Reading> {
  const parts: Record<string, string> = {}
  try {
    const container = await Container.open(file, path.basename(file))
    try {
      const {reader} = container
      let fault: TransshipError | undefined
      await verifyParts(reader, container, {title: path.basename(file), report: (found) => (fault ??= found)})
      if (fault !== undefined) return {error: fault, parts}
      decodeManifest(await reader.document(MANIFEST), file)
      for (const part of reader.parts()) {
        if (part.mapped === undefined) continue
        const hash = createHash('sha256')
        for await (const block of reader.blocks(part, reader.dataOf(part), 0)) hash.update(block)
        parts[part.path] = hash.digest('hex')
      }
    } finally {
      container.close()
    }
    return {parts}
  } catch (error) {
    if (error instanceof TransshipError) return {error, parts}
    throw error
  }
}

/** SHA-256 of every entry as Python's zipfile reads it, by its percent-decoded name. */
const PYTHON = `
import hashlib, json, sys, urllib.parse, zipfile
def read(name):
    with zipfile.ZipFile(name) as z:
        return {urllib.parse.unquote(i.filename): hashlib.sha256(z.read(i)).hexdigest() for i in z.infolist()}
print(json.dumps({name: read(name) for name in sys.argv[1:]}))
`

describe('the packages that msix-packaging is tested with', () => {
  const folder = temporaryFolder()
  let root = ''
  let expectations: readonly Expectation[] = []
  let files: readonly string[] = []

  before(function () {
    this.timeout(120_000)
    const found = findPartialCorpus('msix-packaging', folder.path, {below: 'src/test'})
    if (found === undefined) {
      // They are no package of the system, so that no machine is bound to have them.
      console.error('    SKIPPED, TRANSSHIP_CORPORA names no folder with msix-packaging: its packages are not read')
      this.skip()
    }
    root = path.join(found, 'src/test/testData/unpack')
    const sources = ['unpack.cpp', 'unbundle.cpp'].map((name) => path.join(found, 'src/test/msixtest', name))
    expectations = sources.flatMap((name) => expectationsIn(readFileSync(name, 'utf8')))
    files = readdirSync(root, {recursive: true, encoding: 'utf8'})
      .filter((name) => /\.(?:appx|msix)(?:bundle)?$/.test(name) && statSync(path.join(root, name)).isFile())
      .sort()
    assert.ok(expectations.length > 40 && files.length > 60, `${expectations.length} verdicts, ${files.length} files`)
  })

  const placeOf = (name: string) =>
    [name, `bundles/${name}`, `flat/${name}`].map((each) => path.join(root, each)).find((each) => existsSync(each))
  const isBundle = (name: string) => name.endsWith('bundle') && !name.endsWith(NO_BUNDLE_MANIFEST)

  it('are read and refused as its own tests expect, or refused for a reason of ours', async () => {
    const counts = {taken: 0, refused: 0, signature: 0, bundle: 0, absent: 0}
    const seen = new Set<string>()
    for (const {file, expected, checksSignature} of expectations) {
      const place = placeOf(file)
      if (seen.has(`${file} ${expected}`)) continue
      seen.add(`${file} ${expected}`)
      if (place === undefined) {
        counts.absent++
        continue
      }
      const {error} = await readingOf(place)
      const found = `${file}: expected ${expected}, found ${error?.message ?? 'that it is sound'}`
      if (isBundle(file)) {
        assert.equal(error?.code, 'FORMAT_UNSUPPORTED', found)
        counts.bundle++
      } else if (expected === 'S_OK') {
        assert.equal(error, undefined, found)
        counts.taken++
      } else if (SIGNATURE.has(expected)) {
        assert.ok(checksSignature, found)
        assert.equal(error, undefined, found)
        counts.signature++
      } else {
        assert.ok(CODES[expected]?.includes(error?.code ?? ''), found)
        counts.refused++
      }
    }
    console.log(`      ${JSON.stringify(counts)}`)
    assert.ok(counts.taken >= 4 && counts.refused >= 10 && counts.bundle >= 15)
  }).timeout(120_000)

  it('that no test of its judges are read or refused for a reason of ours', async () => {
    const judged = new Set(expectations.map(({file}) => path.basename(file)))
    const counts = {sound: 0, refused: 0, bundle: 0}
    for (const name of files.filter((each) => !judged.has(path.basename(each)))) {
      const {error} = await readingOf(path.join(root, name))
      const [code, why] = REFUSALS[path.basename(name)] ?? []
      if (isBundle(name)) {
        assert.equal(error?.code, 'FORMAT_UNSUPPORTED', name)
        counts.bundle++
      } else if (code !== undefined && why !== undefined) {
        assert.equal(error?.code, code, name)
        assert.match(error.why ?? '', why)
        counts.refused++
      } else {
        assert.equal(error, undefined, `${name}: ${error?.message ?? ''}`)
        counts.sound++
      }
    }
    console.log(`      ${JSON.stringify(counts)}`)
    assert.equal(counts.refused, Object.keys(REFUSALS).length)
  }).timeout(120_000)

  it('hold in each part the bytes that Python finds there', async function () {
    requireTool(this, 'python3')
    const readings = new Map<string, Reading>()
    for (const name of files) {
      const reading = await readingOf(path.join(root, name))
      if (reading.error === undefined) readings.set(path.join(root, name), reading)
    }
    const told = JSON.parse(runTool('python3', ['-c', PYTHON, ...readings.keys()])) as Record<
      string,
      Record<string, string>
    >
    let compared = 0
    for (const [name, {parts}] of readings)
      for (const [part, digest] of Object.entries(parts)) {
        assert.equal(digest, told[name]?.[part], `${name}: ${part}`)
        compared++
      }
    console.log(`      ${compared} parts`)
    assert.ok(compared > 300)
  }).timeout(240_000)

  it('are told by verify as applications, which hold no container, and as bundles', async () => {
    for (const name of files) {
      const reference = `appx:${path.join(root, name)}`
      const found = await verify(reference).then(
        ({faults}) => faults.map(({code}) => code),
        (error: unknown) => [error instanceof TransshipError ? error.code : String(error)],
      )
      const {error} = await readingOf(path.join(root, name))
      assert.deepEqual(found, [error?.code ?? 'UNRECOGNISED_FORMAT'], name)
    }
  }).timeout(240_000)
})
