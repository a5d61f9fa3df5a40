import assert from 'node:assert/strict'
import {spawnSync} from 'node:child_process'
import {closeSync, existsSync, openSync} from 'node:fs'
import {MAIN, runCli} from '../helpers/run-cli.js'

const SHOP = 'docker-archive:samples/shop.tar'

describe('standard output that cannot be written', () => {
  for (const args of [
    ['list', SHOP],
    ['list', SHOP, '--json'],
    ['files', SHOP, 'Program Files', '--json'],
    ['convert', SHOP, 'docker-archive:-'],
  ])
    it(`ends ${args.join(' ')} with a full disk's error, told once`, function () {
      if (!existsSync('/dev/full')) this.skip()
      const full = openSync('/dev/full', 'w')
      const {status, stderr} = spawnSync(process.execPath, [MAIN, ...args], {
        stdio: ['ignore', full, 'pipe'],
        encoding: 'utf8',
      })
      closeSync(full)
      assert.equal(status, 4, stderr)
      assert.equal(stderr.split('NO_SPACE').length, 2, stderr)
      assert.doesNotMatch(stderr, /\n {4}at /)
    })

  for (const {args, code, note} of [
    {args: ['files', SHOP], code: 0, note: 'a reader that has seen enough is no error'},
    {args: ['convert', SHOP, 'docker-archive:-'], code: 4, note: 'an archive that is cut is one'},
  ])
    it(`that is closed: ${args.join(' ')}: ${note}`, function () {
      if (process.platform === 'win32') this.skip()
      const script = '"$0" "$@" | head -c 1 >/dev/null; exit "${PIPESTATUS[0]}"'
      const {status, stderr} = spawnSync('bash', ['-c', script, process.execPath, MAIN, ...args], {encoding: 'utf8'})
      assert.equal(status, code, stderr)
      assert.doesNotMatch(stderr, /INTERNAL|\n {4}at /)
    })

  it('leaves other exit codes as they are', async () => {
    assert.equal((await runCli(['verify', 'docker-archive:samples/none.tar'])).code, 3)
  })
})
