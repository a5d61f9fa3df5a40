function Invoke-Transship {
    # Runs the command line with --json. Gives an object with Document (what it printed) or Failure (an ErrorRecord with
    # the stable code), never both, so that the cmdlet that asked can write the error under its own name. Exit codes in
    # -Expected are results (findings, containers that still run), not errors.
    [CmdletBinding()]
    [OutputType([psobject])]
    param(
        [Parameter(Mandatory)]
        [string[]] $ArgumentList,

        [int[]] $Expected = @(0),

        # What the error is about.
        [object] $Target,

        [string] $Activity,

        # The journal of a batch: one line of JSON for each item that begins and ends.
        [string] $Journal,

        # How many items the journal will tell of.
        [int] $Total
    )

    $answer = New-Object -TypeName psobject -Property @{ Document = $null; Failure = $null }
    $start = Find-Transship
    if ($null -eq $start) {
        $advice = @('Install it: npm install --global transship', 'Or set $env:TRANSSHIP to the path of the program.')
        $what = 'The transship command line was not found.'
        if ($env:TRANSSHIP) { $what = "`$env:TRANSSHIP names no program that can be started: $env:TRANSSHIP" }
        $answer.Failure = New-TransshipError -Code TOOL_MISSING -Message $what -Suggestion $advice -Target $Target
        return $answer
    }
    $ended = Invoke-Program -Start $start -ArgumentList ($ArgumentList + '--json') -Activity $Activity -Journal $Journal -Total $Total
    $document = $null
    if ($ended.Output.Trim()) {
        try { $document = ConvertFrom-TransshipJson -Text $ended.Output }
        catch {
            $answer.Failure = New-TransshipError -Code INTERNAL -Message "transship printed no JSON. $($_.Exception.Message)" -Target $Target
            return $answer
        }
    }
    if ($null -ne $document -and $document.PSObject.Properties['error']) {
        $failure = $document.error
        $answer.Failure = New-TransshipError -Code $failure.code -Message $failure.message -Suggestion $failure.suggestions -ExitCode $failure.exitCode -Target $Target
        return $answer
    }
    if ($ended.ExitCode -notin $Expected -or $null -eq $document) {
        $what = "transship ended with $($ended.ExitCode). $($ended.Errors)".Trim()
        $answer.Failure = New-TransshipError -Code INTERNAL -Message $what -Target $Target
        return $answer
    }
    $answer.Document = $document
    $answer
}

function ConvertFrom-TransshipJson {
    # PowerShell 7 would turn text that looks like a date into one, in registry values too.
    [CmdletBinding()]
    [OutputType([psobject])]
    param([Parameter(Mandatory)] [string] $Text)

    $options = @{}
    if ((Get-Command -Name ConvertFrom-Json).Parameters.ContainsKey('DateKind')) { $options['DateKind'] = 'String' }
    ConvertFrom-Json -InputObject $Text @options
}
