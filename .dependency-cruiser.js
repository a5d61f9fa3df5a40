/*
 * The one-way import rule: commands -> terminal -> report -> batch -> convert -> tasks -> transports, runtime -> formats
 * -> engine-api -> disk -> codecs -> workers -> model. An earlier folder may import a later one; the reverse never happens.
 */
const RANKS = [
  ['commands'],
  ['src/terminal'],
  ['src/report'],
  ['src/batch'],
  ['src/convert'],
  ['src/tasks'],
  ['src/transports', 'src/runtime'],
  ['src/formats'],
  ['src/engine-api'],
  ['src/disk'],
  ['src/codecs'],
  ['src/workers'],
  ['src/model'],
]

const oneWay = RANKS.flatMap((folders, rank) =>
  folders.map((folder) => {
    const beside = folders.filter((other) => other !== folder)
    const above = [...RANKS.slice(0, rank).flat(), ...beside, 'src/library', 'src/index.ts']
    return {
      name: `one-way-${folder.replace('src/', '')}`,
      comment: `Imports go one way (see CONTRIBUTING.md): ${folder} may not import this.`,
      severity: 'error',
      // The transport called runtime is the one seam between the two: it moves layers by what src/runtime can do.
      from: {path: `^${folder}/`, pathNot: '^src/transports/runtime/'},
      to: {path: above.map((name) => `^${name}`).join('|')},
    }
  }),
)

export default {
  forbidden: [
    ...oneWay,
    {
      name: 'transports-apart',
      comment: 'One transport never imports another; what two share lives in src/formats or src/disk.',
      severity: 'error',
      from: {path: '^src/transports/([^/]+)/'},
      to: {path: '^src/transports/', pathNot: '^src/transports/$1/'},
    },
    {
      name: 'model-alone',
      comment: 'The model imports nothing but itself and Node.',
      severity: 'error',
      from: {path: '^src/model/'},
      to: {pathNot: '^src/model/', dependencyTypesNot: ['core']},
    },
    {
      name: 'terminal-alone',
      comment: 'Only commands and src/terminal know oclif and terminals.',
      severity: 'error',
      from: {path: '^src/', pathNot: '^src/(terminal/|main\\.ts$)'},
      to: {path: 'node_modules/(@oclif/|listr2/|ora/)'},
    },
    {
      name: 'no-circles',
      comment: 'A circle of imports has no first file to read: move what both need into a file of its own.',
      severity: 'error',
      from: {},
      to: {circular: true},
    },
    {
      name: 'dependencies-declared',
      comment: 'The product imports only what package.json installs for its users.',
      severity: 'error',
      from: {path: '^(src|commands)/'},
      to: {dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown', 'unknown']},
    },
  ],
  options: {
    doNotFollow: {path: 'node_modules'},
    // Imports of types count as well: they are read as much as others.
    tsPreCompilationDeps: true,
    tsConfig: {fileName: 'tsconfig.json'},
    enhancedResolveOptions: {exportsFields: ['exports'], conditionNames: ['import', 'node', 'types', 'default']},
  },
}
