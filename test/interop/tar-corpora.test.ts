import assert from 'node:assert/strict'
import {spawnSync} from 'node:child_process'
import {existsSync, mkdirSync, readdirSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {filesBelow, findCorpus} from '../helpers/corpora.js'
import {
  judgedReadings,
  listedReading,
  ownReading,
  type MemberReading,
  type TarReading,
} from '../helpers/tar-readings.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'
import {findTool, requireTool, runTool, skipLoudly} from '../helpers/tools.js'

/*
 * How transship reads the tars that other projects test their readers with, and how four other readers do. It may refuse
 * what they read, for a true reason, but never read it otherwise.
 */

/** What transship refuses, by the name of the file: code, and what the reason says. `docs/compatibility.md` explains. */
const REFUSALS: Readonly<Record<string, readonly [code: string, why: RegExp]>> = {
  'bad-cksum.tar': ['LAYER_CORRUPT', /checksum is wrong/],
  'empty_filename.tar': ['NAME_UNSAFE', /has no name/],
  'global-header.tar': ['LAYER_CORRUPT', /global PAX header states 'path'/],
  'gnu-incremental.tar': ['FORMAT_UNSUPPORTED', /type "D"/],
  'gnu-not-utf8.tar': ['NAME_UNSAFE', /not UTF-8/],
  'invalid-go17.tar': ['LAYER_CORRUPT', /text in place of its times/],
  'issue10968.tar': ['LAYER_CORRUPT', /'mode' is not a number/],
  'issue11169.tar': ['ARCHIVE_TRUNCATED', /inside an extended header/],
  'issue12435.tar': ['LAYER_CORRUPT', /'mode' is not a number/],
  'neg-size.tar': ['LAYER_CORRUPT', /is not a number/],
  'path-missing.tar': ['NAME_UNSAFE', /has no name, and a body of 1 bytes/],
  'pax-bad-hdr-file.tar': ['LAYER_CORRUPT', /PAX header is malformed/],
  'pax-bad-hdr-large.tar.bz2': ['LAYER_CORRUPT', /larger than 1 MiB/],
  'pax-bad-mtime-file.tar': ['LAYER_CORRUPT', /mtime is not a time/],
  'pax-global-records.tar': ['LAYER_CORRUPT', /global PAX header states/],
  'pax-nul-path.tar': ['LAYER_CORRUPT', /PAX header is malformed/],
  'pax-nul-xattrs.tar': ['LAYER_CORRUPT', /PAX header is malformed/],
  'pax-path-hdr.tar': ['ARCHIVE_TRUNCATED', /ends where a header/],
  'test_compat_plexus_archiver_tar.tar.uu': ['LAYER_CORRUPT', /single zero block/],
  'test_compat_solaris_tar_acl.tar.uu': ['FORMAT_UNSUPPORTED', /type "A"/],
  'test_compat_tar_directory_1.tar.uu': ['LAYER_CORRUPT', /name of a directory but a body/],
  'test_pax_filename_encoding.tar.uu': ['NAME_UNSAFE', /not UTF-8/],
  'test_read_format_gtar_filename_cp866.tar.Z.uu': ['NAME_UNSAFE', /not UTF-8/],
  'test_read_format_gtar_filename_eucjp.tar.Z.uu': ['NAME_UNSAFE', /not UTF-8/],
  'test_read_format_gtar_filename_koi8r.tar.Z.uu': ['NAME_UNSAFE', /not UTF-8/],
  'test_read_format_gtar_sparse_1_17_posix10_modified.tar.uu': ['LAYER_CORRUPT', /sparse map is malformed/],
  'test_read_format_gtar_sparse_skip_entry.tar.Z.uu': ['LAYER_CORRUPT', /sparse map does not match/],
  'test_read_format_tar_V_negative_size.tar.uu': ['LAYER_CORRUPT', /'gid' is not a number/],
  'test_read_format_tar_acl_oob_read.tar.uu': ['LAYER_CORRUPT', /PAX header is malformed/],
  'test_read_format_tar_empty_filename.tar.uu': ['NAME_UNSAFE', /has no name/],
  'test_read_format_tar_empty_with_gnulabel.tar.uu': ['FORMAT_UNSUPPORTED', /type "V"/],
  'test_read_format_tar_filename_koi8r.tar.Z.uu': ['NAME_UNSAFE', /not UTF-8/],
  'test_read_format_tar_invalid_pax_size.tar.uu': ['LAYER_CORRUPT', /PAX header is malformed/],
  'test_read_format_tar_pax_g_large.tar.uu': ['LAYER_CORRUPT', /larger than 1 MiB/],
  'test_read_format_tar_pax_large_attr.tar.Z.uu': ['LAYER_CORRUPT', /larger than 1 MiB/],
  'test_read_format_tar_pax_timestamps.tar.uu': ['LAYER_CORRUPT', /mtime is not a time/],
  'test_read_format_tar_timestamp_overflow.tar.uu': ['LAYER_CORRUPT', /NUL before its field 'size'/],
  'test_read_format_ustar_filename_cp866.tar.Z.uu': ['NAME_UNSAFE', /not UTF-8/],
  'test_read_format_ustar_filename_eucjp.tar.Z.uu': ['NAME_UNSAFE', /not UTF-8/],
  'test_read_format_ustar_filename_koi8r.tar.Z.uu': ['NAME_UNSAFE', /not UTF-8/],
  'test_read_pax_empty_val_no_nl.tar.uu': ['LAYER_CORRUPT', /PAX header is malformed/],
  'testtar.tar': ['FORMAT_UNSUPPORTED', /type "7"/],
  'writer-big-long.tar': ['ARCHIVE_TRUNCATED', /inside a body/],
  'writer-big.tar': ['ARCHIVE_TRUNCATED', /inside a body/],
}

type Judge = 'Go' | 'GNU tar' | 'bsdtar' | 'Python'

/** Where one judge alone reads otherwise than transship and all the others. */
const LONE_JUDGES: Readonly<Record<string, readonly [judge: Judge, why: string]>> = {
  'gnu-multi-hdrs.tar': ['Python', 'of two long names takes the first'],
  'pax-multi-hdrs.tar': ['Python', 'merges two extended headers, the first one on top'],
  'test_read_format_gtar_redundant_L.tar.Z.uu': ['Python', 'of two long names takes the first'],
  'pax-nil-sparse-data.tar': ['Python', 'does not know a sparse file without a name of its own'],
  'pax-nil-sparse-hole.tar': ['Python', 'does not know a sparse file without a name of its own'],
  'pax-sparse-big.tar': ['Python', 'does not know a sparse file without a name of its own'],
  'links-invalid.tar': ['GNU tar', 'shows an empty link target as a dot'],
  'nil-uid.tar': ['bsdtar', 'takes the times of star for the size of a sparse file'],
}

const PYTHON = '/usr/bin/python3'
const TARS = /(?:\.tar|\.t[gbx]z|\.tlz|\.pax)(?:\.[A-Za-z0-9]+)*$/

interface Corpus {
  readonly name: string
  /** Its folder or file; undefined when it is not on this machine. */
  readonly find: () => string | undefined
  /** A package of the system brings it, so that CI must have it. */
  readonly package?: string
}

describe('tars of other projects', function () {
  this.timeout(300_000)
  const folder = temporaryFolder()
  let goJudge: string

  const corpora: readonly Corpus[] = [
    {name: 'Go archive/tar', find: findGoTars, package: 'golang-go'},
    {name: 'CPython', find: findPythonTar, package: 'libpython3.11-testsuite'},
    {name: 'libarchive', find: () => findCorpus('libarchive', folder.path)},
    {name: 'node-tar', find: () => findCorpus('node-tar', folder.path)},
    {name: 'tar-rs', find: () => findCorpus('tar-rs', folder.path)},
  ]

  before(function () {
    for (const tool of ['go', 'bsdtar', 'bsdcat', 'tar', 'python3']) requireTool(this, tool)
    if (!runTool('tar', ['--version']).includes('GNU tar')) skipLoudly(this, 'tar is not GNU tar')
    goJudge = path.join(folder.path, 'read-tar')
    const env = {...process.env, GOCACHE: path.join(folder.path, 'go-cache'), GO111MODULE: 'off'}
    const build = spawnSync('go', ['build', '-o', goJudge, path.resolve('test/interop/judges/read-tar.go')], {env})
    assert.equal(build.status, 0, build.stderr.toString())
  })

  for (const corpus of corpora)
    it(`of ${corpus.name} are read as others read them, or refused for a true reason`, async function () {
      const found = corpus.find()
      if (found === undefined) absent(this, corpus)
      const {names, files} = unpack(found, path.join(folder.path, corpus.name.replaceAll('/', '-')))
      assert.ok(files.length > 0, `${found} holds no tar`)
      const go = judgedReadings(goJudge, [], files)
      const python = judgedReadings(existsSync(PYTHON) ? PYTHON : 'python3', ['test/interop/judges/read-tar.py'], files)
      const counts = {files: files.length, read: 0, refused: 0, refusedByGo: 0}
      const problems: string[] = []
      for (const [index, file] of files.entries()) {
        const name = names[index] ?? ''
        const own = await ownReading(file)
        const refusal = refusalOf(own)
        const judges: readonly [Judge, TarReading | undefined][] = [
          ['Go', go[index]],
          ['Python', python[index]],
          ['GNU tar', listedReading('tar', file)],
          ['bsdtar', listedReading('bsdtar', file)],
        ]
        if (refusal === undefined) counts.read++
        else counts.refused++
        if (refusal !== undefined && go[index]?.fault !== undefined) counts.refusedByGo++
        problems.push(...checkRefusal(name, refusal))
        for (const [judge, reading] of judges)
          if (reading !== undefined) problems.push(...compare(name, {own, refusal}, [judge, reading]))
      }
      const {files: all, read, refused, refusedByGo} = counts
      console.error(`    ${corpus.name}: ${all} tars, ${read} read, ${refused} refused (${refusedByGo} by Go as well)`)
      assert.deepEqual(problems, [])
    })

  /** Decompressed and decoded, since the readers are judged and not what unpacks them. */
  function unpack(found: string, target: string): {names: string[]; files: string[]} {
    mkdirSync(target, {recursive: true})
    const sources = found.endsWith('.tar') ? [found] : filesBelow(found, TARS)
    const names: string[] = []
    const files: string[] = []
    for (const source of sources) {
      const run = spawnSync('bsdcat', [source], {maxBuffer: 256 * 2 ** 20, stdio: ['ignore', 'pipe', 'ignore']})
      // Packed by a program that is not there (lrzip, lzop), or part of a test of unpacking itself.
      if (run.status !== 0 || run.stdout.length === 0) continue
      const file = path.join(target, `${files.length}-${path.basename(source)}`)
      writeFileSync(file, run.stdout)
      names.push(path.basename(source))
      files.push(file)
    }
    return {names, files}
  }
})

function absent(test: Mocha.Context, corpus: Corpus): never {
  if (corpus.package !== undefined)
    skipLoudly(test, `the tars of ${corpus.name} (package ${corpus.package}) are absent`)
  // Fetched by hand, so CI need not have it.
  console.error(`    SKIPPED, TRANSSHIP_CORPORA names no folder with ${corpus.name}: ${test.test?.fullTitle() ?? ''}`)
  return test.skip()
}

function findGoTars(): string | undefined {
  if (findTool('go') === undefined) return undefined
  const root = runTool('go', ['env', 'GOROOT']).trim()
  // Debian keeps the sources apart from the compiler, behind a link.
  return [root, '/usr/share/go'].map((base) => path.join(base, 'src/archive/tar/testdata')).find(existsSync)
}

function findPythonTar(): string | undefined {
  const versions = existsSync('/usr/lib') ? readdirSync('/usr/lib').filter((name) => /^python3\.\d+$/.test(name)) : []
  return versions
    .flatMap((version) => ['test', 'test/archivetestdata'].map((place) => `/usr/lib/${version}/${place}/testtar.tar`))
    .find(existsSync)
}

interface Refusal {
  readonly code: string
  readonly why: string
}

function refusalOf({members, fault, code}: TarReading): Refusal | undefined {
  const refused = members.find((member) => member.refusal !== undefined)?.refusal
  // In the order of the tar: what it is refused for first.
  if (refused !== undefined) return {code: refused.slice(0, refused.indexOf(':')), why: refused}
  return fault === undefined ? undefined : {code: code ?? '', why: fault}
}

function checkRefusal(name: string, refusal: Refusal | undefined): string[] {
  const known = REFUSALS[name]
  if (known === undefined)
    return refusal === undefined ? [] : [`${name} is refused without a known reason: ${refusal.why}`]
  if (refusal === undefined) return [`${name} is read, though it should be refused`]
  const [code, why] = known
  if (refusal.code === code && why.test(refusal.why)) return []
  return [`${name} is refused for another reason: ${refusal.code}, ${refusal.why}`]
}

function compare(
  name: string,
  {own, refusal}: {readonly own: TarReading; readonly refusal: Refusal | undefined},
  [judge, reading]: readonly [Judge, TarReading],
): string[] {
  // Of what is refused the judge of what went before is Go alone: others pass over members that they do not know.
  if (judge !== 'Go' && (refusal !== undefined || reading.fault !== undefined)) return []
  if (LONE_JUDGES[name]?.[0] === judge) return []
  const isWhole = own.fault === undefined && reading.fault === undefined
  if (judge === 'Go' && own.fault === undefined && reading.fault !== undefined)
    return [`${name}: Go refuses it (${reading.fault}), transship does not`]
  const problems = differences(own.members, reading.members, {isWhole, judge})
  if (isWhole && reading.contents !== undefined && own.contents !== reading.contents && tellsContents(own, judge))
    problems.push('the contents differ')
  return problems.map((problem) => `${name}: ${judge}: ${problem}`)
}

/** GNU tar leaves out holes on the way to a pipe; bsdtar repeats contents for hard links. */
function tellsContents(own: TarReading, judge: Judge): boolean {
  if (judge === 'GNU tar') return !own.members.some((member) => member.isSparse === true)
  return !own.members.some(({type}) => type === 'hard-link')
}

function differences(
  own: readonly MemberReading[],
  theirs: readonly MemberReading[],
  {isWhole, judge}: {readonly isWhole: boolean; readonly judge: Judge},
): string[] {
  const length = isWhole ? Math.max(own.length, theirs.length) : Math.min(own.length, theirs.length)
  for (let index = 0; index < length; index++) {
    if (own[index]?.refusal !== undefined) continue
    const [ours, other] = [factsOf(own[index], judge), factsOf(theirs[index], judge)]
    if (ours !== other) return [`member ${index} is ${ours}, there ${other}`]
  }
  return []
}

function factsOf(member: MemberReading | undefined, judge: Judge): string {
  if (member === undefined) return 'absent'
  const {name, type, link, size, digest, mtime} = member
  const tellsDigest = judge === 'Go' || judge === 'Python'
  return JSON.stringify({name, type, link, size, ...(tellsDigest ? {digest} : {}), ...(judge === 'Go' ? {mtime} : {})})
}
