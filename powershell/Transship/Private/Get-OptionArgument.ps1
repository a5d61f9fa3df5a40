# Parameters of every cmdlet that opens one image or package, and the options they stand for.
$script:ReadingOptions = [ordered]@{
    Platform           = '--platform'
    Base               = '--base'
    Parent             = '--parent'
    AcceptBaseMismatch = '--accept-base-mismatch'
}

function Get-OptionArgument {
    # The options that the parameters which were given stand for; what was not given stays absent, so that the default
    # of the command line holds.
    [CmdletBinding()]
    [OutputType([string[]])]
    param(
        [Parameter(Mandatory)]
        [System.Collections.IDictionary] $Bound,

        [Parameter(Mandatory)]
        [System.Collections.IDictionary] $Option
    )

    foreach ($name in $Option.Keys) {
        if (-not $Bound.ContainsKey($name)) { continue }
        foreach ($value in $Bound[$name]) {
            if ($value -is [switch]) {
                if ($value) { $Option[$name] }
                continue
            }
            $Option[$name]
            [string] $value
        }
    }
}

function Write-Finding {
    # Losses are warnings; notes are too, but for those that only tell how an argument was read.
    [CmdletBinding()]
    param([AllowNull()] [object] $Document)

    foreach ($loss in @(Get-DocumentValue $Document losses)) {
        if ($loss) { Write-Warning -Message "Lost: $($loss.message)" }
    }
    foreach ($note in @(Get-DocumentValue $Document notes)) {
        if (-not $note) { continue }
        if ($note.code -eq 'transport-recognised') { Write-Verbose -Message $note.message }
        else { Write-Warning -Message $note.message }
    }
}
