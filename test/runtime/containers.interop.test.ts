import assert from 'node:assert/strict'
import {openManagers} from '../../src/runtime/open-managers.js'
import type {ContainerManager} from '../../src/runtime/container-manager.js'
import {listContainers, type ContainerList} from '../../src/runtime/list-containers.js'
import {killContainers, stopContainers} from '../../src/runtime/stop-containers.js'
import {startContainerHost, STUBBORN, TEST_IMAGE, type ContainerHost} from '../helpers/container-host.js'
import {runCli, runJson} from '../helpers/run-cli.js'
import {assertSchema} from '../helpers/schemas.js'
import {skipLoudly} from '../helpers/tools.js'

describe('real dockerd, containerd and Podman on one host', function () {
  this.timeout(180_000)
  let host: ContainerHost
  let managers: readonly ContainerManager[]

  before(async function () {
    if (process.platform !== 'linux' || process.getuid?.() !== 0) skipLoudly(this, 'managers need Linux and root')
    host = await startContainerHost(this)
    managers = openManagers({
      platform: process.platform,
      onlyGiven: true,
      dockerHost: `unix://${host.dockerSocket}`,
      podmanHost: `unix://${host.podmanSocket}`,
      containerdAddress: host.containerdSocket,
    })
  })

  after(async () => {
    for (const manager of managers) manager.close()
    await host.close()
  })

  it('lists each container once, with the manager that made it', async function () {
    const ids = {
      docker: await host.runInEngine(host.dockerSocket, 'by-docker'),
      podman: await host.runInEngine(host.podmanSocket, 'by-podman'),
      first: host.runInContainerd('default', 'by-ctr'),
      second: host.runInContainerd('k8s.io', 'by-kubernetes'),
    }
    const {containers, managers: reports} = await listContainers(managers, {all: true})
    assert.deepEqual(
      reports.map(({name, state}) => `${name} ${state}`),
      ['docker answered', 'podman answered', 'containerd answered'],
    )
    assert.deepEqual(
      containers.map(({id, name, manager, namespace}) => ({id, name, manager, namespace})),
      [
        {id: ids.first, name: 'by-ctr', manager: 'containerd', namespace: 'default'},
        {id: ids.docker, name: 'by-docker', manager: 'docker', namespace: 'moby'},
        {id: ids.second, name: 'by-kubernetes', manager: 'kubernetes', namespace: 'k8s.io'},
        {id: ids.podman, name: 'by-podman', manager: 'podman', namespace: undefined},
      ],
    )
    if (host.runFailure !== undefined) skipLoudly(this, `containers are only created here: ${host.runFailure}`)
    for (const row of containers) {
      assert.equal(row.state, 'running', row.name)
      assert.equal(row.os, 'linux', row.name)
      assert.ok(row.pid !== undefined && row.pid > 1, row.name)
      assert.ok(row.memoryBytes !== undefined && row.memoryBytes > 0, `${row.name} has memory`)
      assert.ok(row.cpuSeconds !== undefined && row.cpuSeconds > 0 && row.cpuSeconds < 60, `${row.name} has time`)
      assert.equal(row.image, TEST_IMAGE, row.name)
    }
    assert.match(containers[1]?.startedAt ?? '', /^\d{4}-\d\d-\d\dT/)
  })

  it('lists and ends them from the command line, as JSON and as a table', async () => {
    const env = {
      DOCKER_HOST: `unix://${host.dockerSocket}`,
      CONTAINER_HOST: `unix://${host.podmanSocket}`,
      CONTAINERD_ADDRESS: host.containerdSocket,
    }
    const listed = await runJson(['containers', 'list', '--all'], {env})
    assert.deepEqual([listed.code, listed.stderr], [0, ''])
    await assertSchema('containers-list', listed.json)
    assert.equal((listed.json as ContainerList).containers.length, 4)
    const table = await runCli(['containers', 'list', '--all', '--manager', 'podman'], {env})
    assert.match(table.stdout.toString(), /^ID +NAME +MANAGER +IMAGE [^]*\n[0-9a-f]{12} +by-podman +podman +/)
    const ended = await runJson(['containers', 'kill', 'by-docker', 'nothing'], {env})
    assert.equal(ended.code, 3)
    await assertSchema('containers-end', ended.json)
    const doctor = await runJson(['doctor'], {env})
    assert.equal(doctor.code, 0)
    await assertSchema('doctor', doctor.json)
    // The next tests find it as the first left it.
    await host.startInEngine(host.dockerSocket, 'by-docker')
  })

  it('shows only the rows of one manager when asked to', async () => {
    const {containers} = await listContainers(managers, {all: true, manager: 'Kubernetes'})
    assert.deepEqual(
      containers.map(({name}) => name),
      ['by-kubernetes'],
    )
  })

  it('refuses a prefix that means several containers, and an id that means none', async () => {
    const {containers, exitCode} = await stopContainers(managers, ['by-', 'nothing'])
    assert.equal(exitCode, 3)
    assert.deepEqual(
      containers.map(({asked, outcome, exitCode: code, error}) => [asked, outcome, code, error?.code]),
      [
        ['by-', 'failed', 2, 'AMBIGUOUS_SELECTION'],
        ['nothing', 'failed', 3, 'NOT_FOUND'],
      ],
    )
  })

  it('stops a container of each manager gracefully, through its owner', async function () {
    if (host.runFailure !== undefined) skipLoudly(this, host.runFailure)
    const names = ['by-docker', 'by-podman', 'by-ctr', 'by-kubernetes']
    const {containers} = await stopContainers(managers, names, {timeoutSeconds: 20})
    assert.deepEqual(
      containers.map(({name, outcome, via, exitCode}) => [name, outcome, via?.split(' ')[0], exitCode]),
      [
        ['by-docker', 'stopped', 'docker', 0],
        ['by-podman', 'stopped', 'podman', 0],
        ['by-ctr', 'stopped', 'containerd', 0],
        ['by-kubernetes', 'stopped', 'containerd', 0],
      ],
    )
    const again = await killContainers(managers, names)
    assert.deepEqual(
      again.containers.map(({outcome}) => outcome),
      ['already-stopped', 'already-stopped', 'already-stopped', 'already-stopped'],
    )
    const {containers: running} = await listContainers(managers)
    assert.deepEqual(running, [])
  })

  it('leaves a container running that ignores the request, and kills it when told to', async function () {
    if (host.runFailure !== undefined) skipLoudly(this, host.runFailure)
    await host.runInEngine(host.dockerSocket, 'stubborn-docker', STUBBORN)
    await host.runInEngine(host.podmanSocket, 'stubborn-podman', STUBBORN)
    host.runInContainerd('default', 'stubborn-ctr', STUBBORN)
    const names = ['stubborn-docker', 'stubborn-podman', 'stubborn-ctr']
    const asked = await stopContainers(managers, names, {timeoutSeconds: 1})
    assert.deepEqual(
      asked.containers.map(({outcome, exitCode, error}) => [outcome, exitCode, error?.code]),
      names.map(() => ['failed', 4, 'TIMED_OUT']),
    )
    assert.equal((await listContainers(managers)).containers.length, 3)
    const forced = await stopContainers(managers, names, {timeoutSeconds: 1, kill: true})
    assert.deepEqual(
      forced.containers.map(({outcome}) => outcome),
      ['stopped', 'stopped', 'killed'],
    )
    assert.deepEqual((await listContainers(managers)).containers, [])
  })

  it('kills a container of each manager', async function () {
    if (host.runFailure !== undefined) skipLoudly(this, host.runFailure)
    const docker = await host.runInEngine(host.dockerSocket, 'killed-docker', STUBBORN)
    const podman = await host.runInEngine(host.podmanSocket, 'killed-podman', STUBBORN)
    host.runInContainerd('blue', 'same-id', STUBBORN)
    host.runInContainerd('green', 'same-id', STUBBORN)
    const ids = [docker.slice(0, 12), podman.slice(0, 12), 'same-id', 'blue/same-id', 'green/same']
    const {containers} = await killContainers(managers, ids)
    assert.deepEqual(
      containers.map(({outcome, via, error}) => [outcome, via?.split(' ')[0] ?? error?.code]),
      [
        ['killed', 'docker'],
        ['killed', 'podman'],
        ['failed', 'AMBIGUOUS_SELECTION'],
        ['killed', 'containerd'],
        ['killed', 'containerd'],
      ],
    )
    assert.deepEqual((await listContainers(managers)).containers, [])
  })

  it('answers while dockerd hangs, and ends its containers through containerd', async function () {
    if (host.runFailure !== undefined) skipLoudly(this, host.runFailure)
    const killed = await host.runInEngine(host.dockerSocket, 'orphan-killed', STUBBORN)
    const stopped = await host.runInEngine(host.dockerSocket, 'orphan-stopped')
    host.dockerd.kill('SIGSTOP')
    try {
      // Whoever answers has time for it on a busy machine too.
      const {containers, managers: reports} = await listContainers(managers, {timeoutMs: 10_000})
      assert.deepEqual(
        reports.map(({name, state, error}) => [name, state, error?.code]),
        [
          ['docker', 'failed', 'TIMED_OUT'],
          ['podman', 'answered', undefined],
          ['containerd', 'answered', undefined],
        ],
      )
      assert.deepEqual(
        new Set(containers.map(({id, manager}) => `${manager} ${id}`)),
        new Set([`docker ${killed}`, `docker ${stopped}`]),
      )
      for (const [id, end, outcome] of [
        [killed, killContainers, 'killed'],
        [stopped, stopContainers, 'stopped'],
      ] as const) {
        const [result] = (await end(managers, [id])).containers
        assert.equal(result?.outcome, outcome)
        assert.match(result.via ?? '', /^containerd/)
        assert.match(result.attempts[0]?.via ?? '', /^docker/)
        assert.equal(result.attempts[0]?.error.code, 'TIMED_OUT')
      }
    } finally {
      host.dockerd.kill('SIGCONT')
    }
    // The owner takes notice of what happened behind its back.
    const docker = managers.filter(({name}) => name === 'docker')
    const deadline = performance.now() + 20_000
    let states: string[]
    do {
      const {containers} = await listContainers(docker, {all: true})
      states = containers.filter(({name}) => name.startsWith('orphan-')).map(({state}) => state)
    } while (states.includes('running') && performance.now() < deadline)
    assert.deepEqual(states, ['stopped', 'stopped'])
  })
})
