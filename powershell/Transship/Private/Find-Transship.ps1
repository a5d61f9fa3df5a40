function Find-Transship {
    # How to start the command line: a program and the arguments that come before ours. $env:TRANSSHIP goes first, then
    # what lies beside the module, then PATH. $null when there is none.
    [CmdletBinding()]
    [OutputType([hashtable])]
    param()

    if ($env:TRANSSHIP) {
        $given = $env:TRANSSHIP
        if (-not (Test-Path -LiteralPath $given -PathType Leaf)) { $given = Find-Program -Name $given }
        if ($given) { return Get-StartOf -Path $given }
        return $null
    }
    $names = @('transship')
    if ($script:OnWindows) { $names = @('transship.exe', 'transship.cmd') }
    # Beside the module lies the program of a release, or the package of npm that the module came with.
    $places = @($script:ModuleRoot, (Split-Path -Path $script:ModuleRoot -Parent))
    foreach ($place in $places) {
        foreach ($name in $names) {
            $candidate = Join-Path -Path $place -ChildPath $name
            if (Test-Path -LiteralPath $candidate -PathType Leaf) { return Get-StartOf -Path $candidate }
        }
    }
    $main = Join-Path -Path $script:ModuleRoot -ChildPath '../../dist/src/main.js'
    if (Test-Path -LiteralPath $main -PathType Leaf) { return Get-StartOf -Path $main }
    $found = Find-Program -Name 'transship'
    if ($found) { return Get-StartOf -Path $found }
    $null
}

function Find-Program {
    # Full path of a program on PATH, or $null.
    [CmdletBinding()]
    [OutputType([string])]
    param([Parameter(Mandatory)] [string] $Name)

    $command = Get-Command -Name $Name -CommandType Application -ErrorAction Ignore | Select-Object -First 1
    if ($command) { $command.Path } else { $null }
}

function Get-StartOf {
    # A script needs Node. The .cmd that npm makes is passed over for the script behind it: cmd.exe would read the
    # characters & | < > ^ % in an argument as its own.
    [CmdletBinding()]
    [OutputType([hashtable])]
    param([Parameter(Mandatory)] [string] $Path)

    $full = (Resolve-Path -LiteralPath $Path).ProviderPath
    $extension = [System.IO.Path]::GetExtension($full)
    $folder = Split-Path -Path $full -Parent
    if ($extension -in '.cmd', '.bat', '.ps1') {
        $full = Join-Path -Path $folder -ChildPath 'node_modules/transship/dist/src/main.js'
        if (-not (Test-Path -LiteralPath $full -PathType Leaf)) { return $null }
        $extension = '.js'
    }
    if ($extension -notin '.js', '.mjs', '.cjs') { return @{ FileName = $full; Before = @() } }
    $node = Join-Path -Path $folder -ChildPath 'node.exe'
    if (-not (Test-Path -LiteralPath $node -PathType Leaf)) { $node = Find-Program -Name 'node' }
    if (-not $node) { return $null }
    @{ FileName = $node; Before = @($full) }
}
