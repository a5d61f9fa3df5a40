import assert from 'node:assert/strict'
import {formatEngineEndpoint, parseEngineEndpoint, type EngineEndpoint} from '../../src/engine-api/endpoint.js'
import {openManagers} from '../../src/runtime/open-managers.js'
import {requireSignalNumber} from '../../src/runtime/signals.js'

describe('addresses of engines', () => {
  const rows: readonly {text: string; want: EngineEndpoint; note: string}[] = [
    {text: 'unix:///var/run/docker.sock', want: {kind: 'socket', path: '/var/run/docker.sock'}, note: 'the usual'},
    {text: 'npipe:////./pipe/docker_engine', want: {kind: 'socket', path: '//./pipe/docker_engine'}, note: 'Windows'},
    {text: 'tcp://host:1234', want: {kind: 'tcp', host: 'host', port: 1234}, note: 'a port'},
    {text: 'tcp://host', want: {kind: 'tcp', host: 'host', port: 2375}, note: 'the port of plain engines'},
    {text: 'tcp://host:80', want: {kind: 'tcp', host: 'host', port: 80}, note: 'the usual port of another protocol'},
    {text: 'tcp://[::1]', want: {kind: 'tcp', host: '::1', port: 2375}, note: 'colons that begin no port'},
    {text: 'tcp://[::1]:99', want: {kind: 'tcp', host: '::1', port: 99}, note: 'an address of version 6'},
  ]
  for (const {text, want, note} of rows)
    it(`parses ${text}: ${note}`, () => {
      const got = parseEngineEndpoint(text)
      assert.deepEqual(got, want)
      assert.deepEqual(parseEngineEndpoint(formatEngineEndpoint(got)), got)
    })

  it('takes the port of secured engines with certificates', () => {
    assert.deepEqual(parseEngineEndpoint('tcp://host', {ca: 'x'}), {
      kind: 'tcp',
      host: 'host',
      port: 2376,
      tls: {ca: 'x'},
    })
  })

  for (const text of ['', 'docker', 'unix://', 'unix://relative', 'tcp://', 'tcp://host/path', 'fd://'])
    it(`refuses '${text}'`, () => {
      assert.throws(() => parseEngineEndpoint(text), {code: 'BAD_OPTION'})
    })

  it('tells how to reach an engine behind SSH', () => {
    assert.throws(() => parseEngineEndpoint('ssh://me@host'), {code: 'ENGINE_UNSUPPORTED', exitCode: 4})
  })
})

describe('places of managers', () => {
  it('looks for what is not given, and asks one place once', () => {
    const places = (platform: NodeJS.Platform) =>
      openManagers({platform, runtimeDir: '/run/user/1', dockerHost: 'unix:///run/podman/podman.sock'}).map(
        ({name, endpoint, isGuess}) => `${name} ${endpoint}${isGuess ? '?' : ''}`,
      )
    assert.deepEqual(places('linux'), [
      'docker unix:///run/podman/podman.sock',
      'podman unix:///run/user/1/podman/podman.sock?',
      'containerd unix:///run/containerd/containerd.sock?',
      'containerd unix:///run/docker/containerd/containerd.sock?',
    ])
    assert.deepEqual(places('win32').slice(1), [
      'podman npipe:////./pipe/podman-machine-default?',
      'containerd npipe:////./pipe/containerd-containerd?',
      'host-compute-service ',
    ])
  })
})

describe('signals by name', () => {
  for (const [text, want] of [
    ['SIGTERM', 15],
    ['term', 15],
    ['9', 9],
    ['SIGUSR2', 12],
    ['SIGSYS', 31],
    ['SIGRTMIN+3', 37],
  ] as const)
    it(`knows ${text} as ${want}`, () => {
      assert.equal(requireSignalNumber(text), want)
    })
  for (const text of ['', '0', 'SIGNOT', '999', 'SIGRTMIN+'])
    it(`refuses '${text}'`, () => {
      assert.throws(() => requireSignalNumber(text), {code: 'BAD_OPTION'})
    })
})
