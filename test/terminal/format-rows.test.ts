import assert from 'node:assert/strict'
import fc from 'fast-check'
import {formatRows, type RowFormat} from '../../src/terminal/format-rows.js'
import {FUZZ_RUNS} from '../helpers/fuzz.js'
import {runCli} from '../helpers/run-cli.js'

interface Row {
  readonly kind: string
  readonly names: readonly string[]
  readonly sizeBytes?: number
  readonly imageId?: string
  readonly platform?: {readonly os: string; readonly osVersion?: string}
}
const FORMAT: RowFormat<Row> = {
  document: 'list',
  path: ['items', '*'],
  columns: [
    {title: 'NAME', cell: ({names}) => names[0]},
    {title: 'SIZE', cell: ({sizeBytes}) => (sizeBytes === undefined ? undefined : `${String(sizeBytes)} B`)},
    {title: 'LAST WRITE', cell: () => 'today'},
  ],
}
const ROWS: readonly Row[] = [
  {
    kind: 'image',
    names: ['shop:1', 'shop:2'],
    sizeBytes: 5,
    imageId: 'ab',
    platform: {os: 'windows', osVersion: '10.0'},
  },
  {kind: 'package', names: []},
]
const first = (template: string) => formatRows(ROWS.slice(0, 1), template, FORMAT)

describe('--format', () => {
  for (const {template, expected, note} of [
    {template: '{{.Kind}}', expected: 'image', note: 'a key of the document'},
    {template: '{{ .kind }}/{{.IMAGEID}}', expected: 'image/ab', note: 'in any case'},
    {template: '{{.Name}} {{.Size}} {{.SizeBytes}}', expected: 'shop:1 5 B 5', note: 'a column beside a key'},
    {template: '{{.LastWrite}}', expected: 'today', note: 'a column of two words'},
    {template: '{{.Platform.OsVersion}}', expected: '10.0', note: 'a field of a field'},
    {template: '{{.Names}}', expected: 'shop:1, shop:2', note: 'a list as a table shows it'},
    {template: '{{.CreatedTime}}|', expected: '|', note: 'a known field that this row lacks'},
    {template: '{{json .Platform}}', expected: '{"os":"windows","osVersion":"10.0"}', note: 'JSON'},
    {template: '{{.Platform}}', expected: '{"os":"windows","osVersion":"10.0"}', note: 'an object as JSON'},
    {template: 'json', expected: JSON.stringify(ROWS[0]), note: "podman's word for all fields"},
    {template: '{{json .}}', expected: JSON.stringify(ROWS[0]), note: 'the row, without columns'},
    {template: '{{.Kind}}\\t{{.Size}}\\n', expected: 'image\t5 B\n', note: 'escapes that a shell leaves alone'},
    {template: '{{join .Names "+"}}', expected: 'shop:1+shop:2', note: 'a function'},
    {template: '{{.Kind | upper | truncate 3}}', expected: 'IMA', note: 'pipes'},
    {template: '{{index .Names 1}}{{len .Names}}', expected: 'shop:22', note: 'an element and a number of them'},
    {template: '{{(index .Names 1) | upper}}', expected: 'SHOP:2', note: 'parentheses'},
    {template: '{{range .Names}}<{{.}} {{$.Kind}}>{{end}}', expected: '<shop:1 image><shop:2 image>', note: 'a loop'},
    {template: '{{if .Dependencies}}a{{else}}b{{end}}', expected: 'b', note: 'a condition'},
    {template: '{{if eq .Kind "image"}}{{if not .Names}}x{{end}}y{{end}}', expected: 'y', note: 'nested conditions'},
    {template: 'a {{- .Kind -}} b', expected: 'aimageb', note: "Go's trimming"},
    {template: '{{"}}"}}{{`{{`}}', expected: '}}{{', note: 'braces in quotes'},
    {template: 'text', expected: 'text', note: 'no field at all'},
  ])
    it(`renders ${template}: ${note}`, () => {
      assert.equal(first(template), expected)
    })

  for (const {template, says, meant} of [
    {template: '{{.Nmae}}', says: /'\.Nmae' is not a field\. The fields are \.Kind/, meant: "Did you mean '.Name'?"},
    {template: '{{.Platform.OsVersio}}', says: /is not a field/, meant: "Did you mean '.OsVersion'?"},
    {template: '{{.Kind.Name}}', says: /the value before it has none/},
    {template: '{{.Name.Kind}}', says: /the value before it has none/},
    {template: '{{range .Names}}{{.Kind}}{{end}}', says: /'\.Kind' is not a field/},
    {template: '{{jsn .}}', says: /'jsn' is not a function/, meant: "Did you mean 'json'?"},
    {template: '{{constructor .}}', says: /not a function/},
    {template: '{{join .Names}}', says: /needs 2 values/},
    {template: '{{.Kind', says: /'\{\{' has no '\}\}'/},
    {template: '{{}}', says: /lacks a value/},
    {template: '{{.Kind .Name}}', says: /one too many/},
    {template: '{{if .Kind}}', says: /has no '\{\{end\}\}'/},
    {template: '{{end}}', says: /has no 'if' or 'range'/},
    {template: '{{else}}', says: /has no 'if' or 'range'/},
    {template: '{{.Kind | .Name}}', says: /function must follow/},
    {template: '{{(.Kind}}', says: /'\(' has no '\)'/},
    {template: '{{.Kind & 1}}', says: /not understood/},
    {template: 'table ', says: /needs fields/},
    {template: 'table {{.Nmae}}', says: /not a field/, meant: "Did you mean '.Name'?"},
  ])
    it(`refuses ${template}, also without rows`, () => {
      for (const rows of [ROWS, []])
        assert.throws(
          () => formatRows(rows, template, FORMAT),
          (error: {code: string; what: string; suggestions: string[]}) => {
            assert.equal(error.code, 'BAD_OPTION')
            assert.match(error.what, says)
            if (meant !== undefined) assert.deepEqual(error.suggestions, [meant])
            return true
          },
        )
    })

  it('makes a table under titles, with a dash for what is not known', () => {
    assert.equal(
      formatRows(ROWS, 'table {{.Name}}\\t{{.SizeBytes}}\\t{{.Platform.Os}}\t{{upper .Kind}}', FORMAT, {sort: '-size'}),
      'NAME    SIZE BYTES  PLATFORM OS  KIND\nshop:1  5           windows      IMAGE\n-       -           -            PACKAGE',
    )
  })

  it('makes what an archive names printable', () => {
    assert.equal(formatRows([{kind: 'a\u001b[2J', names: []}], '{{.Kind}}', FORMAT), 'a\\x1b[2J')
  })

  it('answers any text with rows or BAD_OPTION', () => {
    const piece = fc.constantFrom(
      '{{',
      '}}',
      '.Kind',
      '.Names',
      ' ',
      '|',
      '(',
      ')',
      'if ',
      'range ',
      'end',
      'else',
      '"',
      '$',
      '`',
      '- ',
      'index ',
      '0',
      'json',
      'x',
    )
    fc.assert(
      fc.property(fc.array(piece, {maxLength: 12}), (pieces) => {
        try {
          formatRows(ROWS, pieces.join(''), FORMAT)
        } catch (error) {
          assert.equal((error as {code?: string}).code, 'BAD_OPTION', String(error))
        }
      }),
      {numRuns: FUZZ_RUNS * 5},
    )
  })

  for (const {args, stdout} of [
    {
      args: ['list', 'docker-archive:samples/shop.tar', '--format', '{{.Name}} {{.Layers}}'],
      stdout: /^contoso\/shop:1\.2\.0 3\n$/,
    },
    {
      args: [
        'inspect',
        'docker-archive:samples/shop.tar',
        '--format',
        '{{.Os}}{{range .Layers}} {{.HasContent}}{{end}}',
      ],
      stdout: /^windows( true)+\n$/,
    },
    {
      args: [
        'inspect',
        'docker-archive:samples/shop.tar',
        '--format',
        '{{json .Config.Entrypoint}} {{json .Config.config.Entrypoint}} {{.Config.Architecture}}',
      ],
      stdout: /^\["C:\\\\Shop\\\\shop\.exe"\] \["C:\\\\Shop\\\\shop\.exe"\] amd64\n$/,
    },
    {
      args: ['files', 'docker-archive:samples/shop.tar', 'Files/Shop', '--format', '{{.Mode}} {{.Path}}'],
      stdout: /^d------ Files\/Shop\n/,
    },
    {
      args: ['list', 'inbox:samples/repository', '--format', 'table {{.Name}}\\t{{.Digest}}'],
      stdout: /^NAME +DIGEST\n.+ +sha256:[0-9a-f]{64}\n/,
    },
  ])
    it(`is answered by ${args.slice(0, 2).join(' ')} into a pipe`, async () => {
      const told = await runCli(args)
      assert.equal(told.code, 0, told.stderr)
      assert.match(told.stdout.toString(), stdout)
    })

  for (const args of [
    ['list', 'samples/shop.tar', '--format', '{{.Name}}', '--json'],
    ['list', 'samples/shop.tar', '--format', '{{.Name}}', '--columns', 'name'],
    ['inspect', 'samples/shop.tar', '--format', '{{.Name}}', '--tree'],
    ['containers', 'list', '--format', '{{.Nmae}}'],
  ])
    it(`is refused: ${args.join(' ')}`, async () => {
      const {code} = await runCli(args)
      assert.notEqual(code, 0)
    })
})
