import path from 'node:path'
import Mocha from 'mocha'

/*
 * `node run-files.js SETUP FILE …`: runs test files one after the other until one fails. Exit 0 only when each of them was
 * run to its end and passed; whatever else happens, a hang or a crash, is another exit.
 */

process.exitCode = 1
const [setup = '', ...files] = process.argv.slice(2)
for (const file of files) {
  const mocha = new Mocha({bail: true, timeout: 60_000, reporter: 'min', failZero: true})
  mocha.addFile(path.resolve(setup))
  mocha.addFile(path.resolve(file))
  await mocha.loadFilesAsync()
  const failures = await new Promise<number>((resolve) => {
    const runner = mocha.run(resolve)
    if (process.env['MUTANT_SHOW'] !== undefined)
      runner.on('fail', (test, error: Error) => {
        process.stderr.write(`${file}: ${test.fullTitle()}: ${error.message}\n`)
      })
  })
  if (failures > 0) process.exit(2)
}
process.exit(0)
