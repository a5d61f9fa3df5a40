import assert from 'node:assert/strict'
import {createHash} from 'node:crypto'
import {existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync} from 'node:fs'
import {join, relative} from 'node:path'
import type {ContainerList} from '../../src/runtime/list-containers.js'
import type {ConvertReport} from '../../src/convert/report.js'
import type {HostReport} from '../../src/runtime/diagnose-host.js'
import type {EndResult} from '../../src/runtime/stop-containers.js'
import type {LayerMove} from '../../src/runtime/storage/runtime-layers.js'
import {assertSchema} from '../helpers/schemas.js'
import {PROJECT} from '../helpers/snapshot.js'
import {SECURITY_DESCRIPTORS} from '../helpers/security-descriptors.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'
import {runTool} from '../helpers/tools.js'
import type {WindowsCall, WindowsOutcome, WindowsStep} from '../helpers/windows-program.js'
import {startWine, STAND_INS, type StandIn, type Wine} from '../helpers/wine.js'

const DOCKER = 'aa11000000000000000000000000000000000000000000000000000000000001'
const POD = 'bb22000000000000000000000000000000000000000000000000000000000002'
/** Both generations of the API, as the DLLs of the hosts have them. */
const GENERATIONS: readonly {title: string; dlls: readonly StandIn[]; library: StandIn; storage: StandIn}[] = [
  {title: 'Windows Server 2019 and later', dlls: STAND_INS, library: 'computecore.dll', storage: 'computestorage.dll'},
  {title: 'Windows Server 2016', dlls: ['vmcompute.dll'], library: 'vmcompute.dll', storage: 'vmcompute.dll'},
]

/** Containers of the stand-ins that are to be ended, with outcome, exit code and error. */
const ENDS = [
  {verb: 'stop', id: 'aa11', want: ['stopped', 0], note: 'one that obeys'},
  {verb: 'stop', id: 'slow', want: ['stopped', 0], note: 'an answer of pending is waited out'},
  {verb: 'stop', id: 'stubborn', want: ['failed', 4, 'TIMED_OUT'], note: 'one that does not obey'},
  {verb: 'stop', id: 'denied', want: ['failed', 4, 'NO_ACCESS'], note: 'access denied'},
  {verb: 'stop', id: 'late', want: ['already-stopped', 0], note: 'it ended after it was listed'},
  {verb: 'stop', id: 'vanishing', want: ['already-stopped', 0], note: 'it is gone'},
  {verb: 'stop', id: 'finished', want: ['already-stopped', 0], note: 'it is listed as stopped'},
  {verb: 'stop', id: 'other', want: ['failed', 3, 'NOT_FOUND'], note: 'nobody has it'},
  {verb: 'kill', id: 'bb22', want: ['killed', 0], note: 'one of another stack'},
  {verb: 'kill', id: 'stubborn', want: ['killed', 0], note: 'one that does not obey'},
  {verb: 'kill', id: 'slow', want: ['killed', 0], note: 'an answer of pending is waited out'},
  {verb: 'kill', id: 'denied', want: ['failed', 4, 'NO_ACCESS'], note: 'access denied'},
  {verb: 'kill', id: 'late', want: ['already-stopped', 0], note: 'it ended after it was listed'},
] as const

describe('Windows code under Wine, against stand-ins for the container DLLs', function () {
  this.timeout(180_000)
  const memory = temporaryFolder()
  let wine: Wine

  before(async function () {
    wine = await startWine(this)
  })
  after(async () => {
    await (wine as Wine | undefined)?.close()
  })

  it('says security descriptors as the same text', () => {
    // Wine 8 has no name for a mandatory label.
    const known = SECURITY_DESCRIPTORS.filter(({sddl}) => !sddl.includes('(ML;'))
    const descriptors = known.map(({bytes}) => bytes.toString('base64'))
    const [said] = wine.perform([{call: {call: 'say security', descriptors}}])
    assert.deepEqual(
      said?.result,
      known.map(({sddl}) => sddl),
    )
  })

  it('sets and reads times to 100 ns in every century, of files and folders', () => {
    // 1601, 1723, the last tick of 1969, 2038 after the end of 32 bits, 2262 after the end of 64 bits of nanoseconds.
    const all = ['1', '38579634111234567', '116444735999999999', '137919572480000003', '209000000000000001']
    // Wine keeps them on the disk of this host, which holds the first two only where it is memory.
    const times = memory.path.startsWith('/dev/shm/') ? all : all.slice(2)
    const [kept] = wine.perform([{call: {call: 'keep times', folder: wine.windowsPath(memory.path), times}}])
    assert.deepEqual(
      kept?.result,
      times.map((time) => ({file: time, folder: time, isNative: true})),
    )
  })

  it('says which feature is missing when the host has no such DLL', () => {
    wine.install([])
    const layer = wine.windowsPath(wine.folder)
    const [listed, exported] = wine.perform([
      {call: {call: 'list'}},
      {call: {call: 'export', from: layer, to: `${layer}-out`}},
    ])
    const {containers, managers} = listed?.result as ContainerList
    assert.deepEqual(containers, [])
    assert.deepEqual(
      managers.map(({name, state, error}) => [name, state, error?.code]),
      [
        ['docker', 'absent', 'ENGINE_UNAVAILABLE'],
        ['podman', 'absent', 'ENGINE_UNAVAILABLE'],
        ['containerd', 'absent', 'ENGINE_UNAVAILABLE'],
        ['host-compute-service', 'failed', 'ENGINE_UNAVAILABLE'],
      ],
    )
    assert.match(managers[3]?.error?.suggestions[0] ?? '', /Install-WindowsFeature Containers/)
    assert.deepEqual([exported?.failure?.code, exported?.failure?.exitCode], ['ENGINE_UNAVAILABLE', 4])
  })

  it('speaks to engines and to containerd over their pipes', () => {
    const [listed] = wine.perform([{call: {call: 'list over pipes'}}])
    const {managers} = listed?.result as ContainerList
    assert.deepEqual(
      managers.slice(0, 3).map(({state, error}) => [state, error?.code]),
      [
        ['answered', undefined],
        ['absent', 'ENGINE_UNAVAILABLE'],
        ['failed', 'TIMED_OUT'],
      ],
    )
  })

  it('diagnoses the host and converts on it, with paths of Windows', async () => {
    wine.install(STAND_INS)
    const doctor = wine.node('dist/src/main.js', ['doctor', '--json'])
    assert.deepEqual([doctor.status, doctor.stderr], [0, ''])
    const report = JSON.parse(doctor.stdout) as HostReport
    await assertSchema('doctor', report)
    for (const name of ['compute service', 'runtime layers', 'privileges', 'long paths'])
      assert.equal(report.checks.find((check) => check.name === name)?.state, 'ok', name)
    const layout = wine.windowsPath(unpackVector('basic', join(wine.folder, 'vector')))
    const repository = wine.windowsPath(join(wine.folder, 'repository'))
    const name = ['--name', 'Shop', '--publisher', 'CN=Contoso', '--package-version', '1.0.0.0']
    const convert = wine.node('dist/src/main.js', [
      'convert',
      `layout:${layout}`,
      `inbox:${repository}`,
      ...name,
      '--json',
    ])
    assert.equal(convert.status, 0, convert.stdout + convert.stderr)
    const verify = wine.node('dist/src/main.js', ['verify', `inbox:${repository}`, '--json'])
    assert.equal(verify.status, 0, verify.stdout + verify.stderr)
  })

  for (const {title, dlls, library, storage} of GENERATIONS)
    describe(`of ${title}`, () => {
      const isNew = library === 'computecore.dll'
      const modes = [
        {mode: 'denied', code: 'NO_ACCESS'},
        {mode: 'garbage', code: 'MANIFEST_INVALID'},
        ...(isNew ? [{mode: 'hang', code: 'TIMED_OUT'}] : []),
      ]
      const lists: readonly WindowsStep[] = [
        {call: {call: 'list', all: true}},
        {call: {call: 'list'}},
        {call: {call: 'stop', ids: ['stubborn'], timeoutSeconds: 1, kill: true}},
      ]
      let outcomes: readonly WindowsOutcome[]

      before(() => {
        wine.install(dlls)
        outcomes = wine.perform([
          ...lists,
          ...ENDS.map(({verb, id}): WindowsStep => {
            return {call: verb === 'stop' ? {call: verb, ids: [id], timeoutSeconds: 1} : {call: verb, ids: [id]}}
          }),
          ...modes.map(({mode}): WindowsStep => ({call: {call: 'list'}, mode})),
        ])
      })

      it('lists every container with its owner, verbatim', () => {
        const {containers} = outcomes[0]?.result as ContainerList
        assert.deepEqual(
          containers.map(({id, name, manager, state, os}) => [id, name, manager, state, os]),
          [
            [DOCKER, DOCKER, 'docker', 'running', 'windows'],
            ['denied', 'denied', 'VMMS', 'running', 'linux'],
            ['finished', 'finished', 'docker', 'stopped', 'windows'],
            ['stubborn', 'ignores requests', 'Contoso.Inbox', 'running', 'windows'],
            ['late', 'late', 'docker', 'running', 'windows'],
            [POD, 'pod', 'containerd-shim-runhcs-v1.exe', 'running', 'windows'],
            ['slow', 'slow', 'Contoso.Inbox', 'running', 'windows'],
            ['vanishing', 'vanishing', 'docker', 'paused', 'windows'],
          ],
        )
        const {pid, memoryBytes, cpuSeconds, startedAt} = containers[0] ?? {}
        assert.deepEqual(
          {pid, memoryBytes, cpuSeconds, startedAt},
          {pid: 4100, memoryBytes: 73_400_320, cpuSeconds: 2.5, startedAt: '2026-01-02T03:04:05Z'},
        )
        assertClosed(outcomes[0]?.calls ?? [])
      })

      it('lists only what runs unless asked for all', () => {
        const {containers} = outcomes[1]?.result as ContainerList
        assert.equal(containers.length, 7)
        assert.ok(!containers.some(({id}) => id === 'finished'))
      })

      it('ends one that does not obey when told to', () => {
        const {result, calls = []} = outcomes[2] ?? {}
        assert.equal((result as EndResult).containers[0]?.outcome, 'killed')
        const verbs = calls.flatMap((line) => /(Shut[Dd]own|Terminate)ComputeSystem/.exec(line)?.[1] ?? [])
        assert.deepEqual(
          verbs.map((verb) => verb.toLowerCase()),
          ['shutdown', 'terminate'],
        )
      })

      for (const [index, {verb, id, want, note}] of ENDS.entries())
        it(`${verb} of '${id}' gives ${want[0]}: ${note}`, () => {
          const {result, calls = []} = outcomes[lists.length + index] ?? {}
          const {containers, exitCode} = result as EndResult
          const [outcome] = containers
          const code = outcome?.error === undefined ? [] : [outcome.error.code]
          assert.deepEqual([outcome?.outcome, outcome?.exitCode, ...code], [...want])
          assert.equal(exitCode, want[1])
          assertClosed(calls)
          if (want[2] === 'NO_ACCESS') {
            assert.match(outcome?.error?.message ?? '', /0x80070005: access is denied/)
            assert.match(outcome?.error?.suggestions[0] ?? '', /elevated/)
          }
          for (const line of calls.filter((call) => /Shut[Dd]own|Terminate/.test(call))) assert.match(line, / NULL$/)
        })

      for (const [index, {mode, code}] of modes.entries())
        it(`reports a service that is in state '${mode}' as ${code}`, () => {
          const {managers} = outcomes[lists.length + ENDS.length + index]?.result as ContainerList
          assert.equal(managers.at(-1)?.error?.code, code)
        })

      it('lists and ends them from the command line', async () => {
        const folder = join(wine.folder, `cli-${library}`)
        mkdirSync(folder)
        const env = {STAND_IN_FOLDER: wine.windowsPath(folder)}
        const list = wine.node('dist/src/main.js', ['containers', 'list', '--json'], env)
        assert.deepEqual([list.status, list.stderr], [0, ''])
        await assertSchema('containers-list', JSON.parse(list.stdout))
        const kill = wine.node('dist/src/main.js', ['containers', 'kill', 'aa11', 'denied', '--json'], env)
        assert.equal(kill.status, 4)
        await assertSchema('containers-end', JSON.parse(kill.stdout))
        const after = wine.node('dist/src/main.js', ['containers', 'list'], env)
        assert.equal(after.status, 0)
        assert.match(after.stdout, /^denied +denied +VMMS +running +linux +4100 +70\.0 MiB +3 s +2026-01-02T03:04:05$/m)
        assert.doesNotMatch(after.stdout, /^aa11/m)
      })

      describe('moves layers:', () => {
        const at = (...parts: readonly string[]) => join(wine.folder, `layers-${library}`, ...parts)
        const win = (...parts: readonly string[]) => wine.windowsPath(at(...parts))
        let moves: Record<string, WindowsOutcome>

        before(() => {
          for (const name of ['layer', 'parent', 'base', 'scratch', 'denied', 'full']) makeLayer(at(name))
          writeFileSync(at('layer', 'layerchain.json'), JSON.stringify([win('parent'), win('base')]))
          mkdirSync(at('refused'))
          const payload = win('layer', 'payload')
          const parents = [win('parent')]
          const steps: Record<string, WindowsCall> = {
            exported: {call: 'export', from: win('layer'), to: win('exported')},
            scratch: {call: 'export', from: win('scratch'), to: win('scratch-out'), isWritable: true},
            denied: {call: 'export', from: win('denied'), to: win('denied-out')},
            full: {call: 'export', from: win('full'), to: win('full-out')},
            absent: {call: 'export', from: win('absent'), to: win('absent-out')},
            taken: {call: 'export', from: win('layer'), to: win('parent')},
            imported: {call: 'import', from: payload, to: win('imported'), parents},
            again: {call: 'export', from: win('imported'), to: win('again')},
            finished: {call: 'import', from: payload, to: win('finished')},
            broken: {call: 'import', from: payload, to: win('refused', 'broken')},
            occupied: {call: 'import', from: payload, to: win('layer')},
          }
          const done = wine.perform(Object.values(steps).map((call) => ({call})))
          moves = Object.fromEntries(Object.keys(steps).map((name, index) => [name, done[index]!]))
        })

        it('exports a layer with its parents by the record of Docker', () => {
          const {result, calls} = moves['exported']!
          const parents = [win('parent'), win('base')]
          const move: LayerMove = {runtime: win('layer'), transportLayout: win('exported'), parents, library: storage}
          assert.deepEqual(result, move)
          assert.deepEqual(treeOf(at('exported')), treeOf(at('layer', 'payload')))
          const guids = calls.flatMap((line) => /^NameToGuid \S+ \{(.*)\}$/.exec(line)?.[1] ?? [])
          assert.equal(guids.length, 2)
          const data = JSON.stringify({
            SchemaVersion: {Major: 2, Minor: 1},
            Layers: parents.map((path, index) => ({Id: guids[index]!.toLowerCase(), Path: path})),
          })
          const wanted = isNew
            ? [`HcsExportLayer ${move.runtime} | ${move.transportLayout} | ${data} | `]
            : [
                `ExportLayer ${move.runtime} | ${move.transportLayout} | 2`,
                ...parents.map((path, index) => `  parent {${guids[index]!}} 0 ${path}`),
              ]
          assert.deepEqual(calls.slice(-wanted.length), wanted)
        })

        it("exports a container's own layer as one, where Windows can", () => {
          const {failure, calls} = moves['scratch']!
          if (!isNew) assert.equal(failure?.code, 'FORMAT_UNSUPPORTED')
          else assert.match(calls.join('\n'), /"Minor":1\}\} \| \{"IsWritableLayer":true\}/)
        })

        for (const {name, code, exitCode, note} of [
          {name: 'denied', code: 'NO_ACCESS', exitCode: 4, note: 'nothing is left'},
          {name: 'full', code: 'NO_SPACE', exitCode: 4, note: 'what was begun is removed'},
          {name: 'absent', code: 'NOT_FOUND', exitCode: 3, note: 'there is no such layer'},
        ])
          it(`gives ${code} for a layer called '${name}': ${note}`, () => {
            const {failure} = moves[name]!
            assert.deepEqual([failure?.code, failure?.exitCode], [code, exitCode], failure?.message)
            assert.ok(!existsSync(at(`${name}-out`)))
          })

        it('imports a layer onto its parents, so that it exports the same again', () => {
          assert.equal((moves['imported']?.result as LayerMove).library, storage)
          assert.ok(!moves['imported']!.calls.some((line) => line.startsWith('Process')))
          assert.deepEqual((moves['again']?.result as LayerMove).parents, [win('parent')])
          assert.deepEqual(treeOf(at('again')), treeOf(at('layer', 'payload')))
        })

        it('finishes a base layer', () => {
          assert.ok(moves['finished']!.calls.includes(`ProcessBaseImage ${win('finished')}`))
        })

        it('destroys a layer that Windows refuses', () => {
          const {failure} = moves['broken']!
          assert.deepEqual([failure?.code, failure?.exitCode], ['LAYER_CORRUPT', 3])
          assert.match(failure?.message ?? '', /0x80370112/)
          assert.ok(!existsSync(at('refused', 'broken')))
        })

        it('does so from the command line', async () => {
          const env = {STAND_IN_FOLDER: wine.windowsPath(wine.folder)}
          const args = ['layout', 'export', win('layer'), win('cli'), '--parent', win('base'), '--json']
          const {status, stdout, stderr} = wine.node('dist/src/main.js', args, env)
          assert.deepEqual([status, stderr], [0, ''])
          await assertSchema('layout', JSON.parse(stdout))
          assert.deepEqual((JSON.parse(stdout) as LayerMove).parents, [win('base')])
          assert.deepEqual(treeOf(at('cli')), treeOf(at('layer', 'payload')))
        })

        it('converts a runtime layer with its parents to packages, and back', () => {
          for (const [name, vector] of [
            ['own', 'streams-sparse'],
            ['below', 'basic'],
          ] as const) {
            mkdirSync(at(name))
            unpackVector(vector, at(name, 'payload'))
          }
          writeFileSync(at('own', 'layerchain.json'), JSON.stringify([win('below')]))
          const env = {STAND_IN_FOLDER: wine.windowsPath(wine.folder)}
          const identity = ['--name', 'Shop', '--publisher', 'CN=Contoso', '--package-version', '1.0.0.0']
          const there = ['convert', `runtime:${win('own')}`, `inbox:${win('packages')}`, '--layers', 'chain']
          const converted = wine.node('dist/src/main.js', [...there, ...identity, '--os-layers', '0', '--json'], env)
          assert.equal(converted.status, 0, converted.stdout + converted.stderr)
          const {artifacts} = JSON.parse(converted.stdout) as ConvertReport
          assert.equal(artifacts.length, 2)
          const verified = wine.node('dist/src/main.js', ['verify', `inbox:${win('packages')}`, '--json'], env)
          assert.equal(verified.status, 0, verified.stdout + verified.stderr)
          const back = [
            'convert',
            `inbox:${win('packages')}:Shop`,
            `runtime:${win('back')}`,
            '--layers',
            'chain',
            '--json',
          ]
          const returned = wine.node('dist/src/main.js', back, env)
          assert.equal(returned.status, 0, returned.stdout + returned.stderr)
          for (const [made, given] of [
            ['back', 'own'],
            ['back.parent-1', 'below'],
          ] as const) {
            const tree = treeOf(at(made, 'payload'))
            // Windows leaves the sidecars of the two top folders out; they are always written.
            for (const top of ['Files.$wcidirs$', 'Hives.$wcidirs$']) Reflect.deleteProperty(tree, top)
            assert.deepEqual(tree, treeOf(at(given, 'payload')))
          }
          assert.ok(!readdirSync(at()).some((name) => name.includes('.tmp-')))
          const chain = JSON.parse(readFileSync(at('back', 'layerchain.json'), 'utf8')) as unknown
          assert.deepEqual(chain, [win('back.parent-1')])
        })

        it('writes over nothing', () => {
          assert.equal(moves['taken']?.failure?.code, 'DESTINATION_EXISTS')
          assert.equal(moves['occupied']?.failure?.code, 'DESTINATION_EXISTS')
        })
      })
    })
})

/** Unpacks the transport layout of a test vector; the folder it is in. */
function unpackVector(vector: string, folder: string): string {
  mkdirSync(folder)
  runTool('tar', ['-xzf', join(PROJECT, 'test', 'vectors', vector, 'layout.tar.gz'), '-C', folder])
  return folder
}

/** A runtime layer as the stand-ins keep it, with a payload of its own. */
function makeLayer(path: string): void {
  mkdirSync(join(path, 'payload', 'Files', 'Windows'), {recursive: true})
  mkdirSync(join(path, 'payload', 'Hives'))
  writeFileSync(join(path, 'payload', 'Files', 'Windows', 'ä name.txt'), `of ${path}`)
  writeFileSync(join(path, 'payload', 'Hives', 'System_Delta'), path)
}

/** Every handle that was opened is closed again. */
function assertClosed(calls: readonly string[]): void {
  const count = (start: string) => calls.filter((line) => line.startsWith(start)).length
  assert.equal(count('HcsCloseOperation'), count('HcsCreateOperation'))
  assert.ok(!calls.some((line) => line.includes('of nothing')))
  const closed = count('HcsCloseComputeSystem')
  const opened = count('HcsOpenComputeSystem') - count('HcsOpenComputeSystem vanishing')
  assert.equal(closed, opened)
}

function treeOf(folder: string): Record<string, string> {
  const files = readdirSync(folder, {recursive: true, withFileTypes: true}).filter((entry) => entry.isFile())
  return Object.fromEntries(
    files
      .map((entry) => join(entry.parentPath, entry.name))
      .sort()
      .map((path) => [relative(folder, path), createHash('sha256').update(readFileSync(path)).digest('hex')]),
  )
}
