function Get-HostContainer {
    # The containers of the host: Containers, Answered (the managers that answered), Failure (an ErrorRecord or $null).
    [CmdletBinding()]
    [OutputType([psobject])]
    param(
        [string] $Manager,

        [switch] $All,

        # Straight from the Host Compute Service.
        [switch] $Direct
    )

    $list = New-Object -TypeName psobject -Property @{ Containers = @(); Answered = @(); Failure = $null }
    if (Test-Direct -Direct:$Direct) {
        $rows = @(Get-HostComputeContainer -All:$All)
        if ($rows.Count -gt 0 -and $rows[0] -is [System.Management.Automation.ErrorRecord]) {
            $list.Failure = $rows[0]
            return $list
        }
        $list.Answered = @('host-compute-service')
        $list.Containers = @($rows | Where-Object { -not $Manager -or $_.Manager -eq $Manager })
        return $list
    }
    $arguments = @('containers', 'list')
    if ($Manager) { $arguments += '--manager', $Manager }
    if ($All) { $arguments += '--all' }
    $answer = Invoke-Transship -ArgumentList $arguments -Target $Manager
    $list.Failure = $answer.Failure
    if ($answer.Failure) { return $list }
    foreach ($row in $answer.Document.managers) {
        if ($row.state -eq 'failed') { Write-Warning -Message $row.error.message }
        elseif ($row.state -eq 'answered') { $list.Answered += "$($row.name) $($row.endpoint)" }
    }
    $list.Containers = @(foreach ($row in $answer.Document.containers) {
            New-TransshipObject -TypeName Transship.Container -Document $row -Property @{ StartedAt = ConvertFrom-IsoTime (Get-DocumentValue $row startedAt) }
        })
    $list
}

function Test-Direct {
    # Whether to go straight to the Host Compute Service: asked to, or there is nothing else.
    [CmdletBinding()]
    [OutputType([bool])]
    param([switch] $Direct)

    if ($Direct) { return $true }
    if ($env:TRANSSHIP -or (Find-Transship)) { return $false }
    Write-Verbose -Message 'The transship command line was not found: going straight to the Host Compute Service.'
    $true
}
