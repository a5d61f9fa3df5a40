Set-StrictMode -Version 3.0

# Name or path of the command line; TRANSSHIP_COMMAND overrides it, for installations that are not on PATH.
$script:TransshipCommand = if ($env:TRANSSHIP_COMMAND) { $env:TRANSSHIP_COMMAND } else { 'transship' }

function Invoke-Transship {
    # Runs the command line with --json and gives its document. An error of transship becomes one of PowerShell, with the
    # stable code as its id; exit codes in -Expected are results (findings, containers that still run), not errors.
    [CmdletBinding()]
    [OutputType([psobject])]
    param(
        [Parameter(Mandatory)]
        [string[]] $ArgumentList,

        [int[]] $Expected = @(0)
    )

    $encoding = [Console]::OutputEncoding
    try {
        # The command line writes UTF-8 whatever the code page of the console is.
        [Console]::OutputEncoding = New-Object -TypeName System.Text.UTF8Encoding
        $lines = & $script:TransshipCommand @ArgumentList '--json'
        $exitCode = $LASTEXITCODE
    }
    finally {
        [Console]::OutputEncoding = $encoding
    }

    $document = $null
    if ($lines) {
        $document = ($lines -join "`n") | ConvertFrom-Json
    }
    if ($null -ne $document -and $document.PSObject.Properties['error']) {
        $failure = $document.error
        $exception = New-Object -TypeName System.InvalidOperationException -ArgumentList $failure.message
        $category = [System.Management.Automation.ErrorCategory]::InvalidOperation
        $record = New-Object -TypeName System.Management.Automation.ErrorRecord -ArgumentList $exception, $failure.code, $category, $failure
        if ($failure.suggestions) {
            $record.ErrorDetails = "$($failure.message) Try: $($failure.suggestions -join ' ')"
        }
        $PSCmdlet.ThrowTerminatingError($record)
    }
    if ($exitCode -notin $Expected) {
        throw "transship ended with $exitCode."
    }
    $document
}

function Convert-ContainerPackage {
    <#
    .SYNOPSIS
    Converts between Docker images and inbox packages.

    .DESCRIPTION
    Carries an image or a package from one place to another, in either direction or within one stack. What the
    destination cannot hold is in the property losses of the result; -Strict makes any loss an error. With -WhatIf the
    plan is made and returned, and nothing is written.

    .PARAMETER Source
    What to convert: TRANSPORT:LOCATION, or an existing path that is recognised by its content.

    .PARAMETER Destination
    Where to write it: TRANSPORT:LOCATION.

    .PARAMETER Base
    Where to find a base that the source only names; nearest first.

    .PARAMETER Layers
    Whether the layers of an image become one package (squash) or one package each (chain).

    .PARAMETER Name
    Name of the package, in place of the one that follows from the image.

    .PARAMETER Publisher
    Publisher of the package, as CN=Publisher.

    .PARAMETER PackageVersion
    Version of the package, as 1.2.3.4.

    .PARAMETER Tag
    Names of the image, in place of the one that follows from the package.

    .PARAMETER Compression
    Compression of new layers.

    .PARAMETER Replace
    Overwrites what exists at the destination.

    .PARAMETER Strict
    Fails where the destination cannot hold everything.

    .EXAMPLE
    Convert-ContainerPackage -Source docker-archive:shop.tar -Destination inbox:D:\Repository

    Makes packages of an image that docker save wrote.

    .EXAMPLE
    Get-ChildItem *.tar | Convert-ContainerPackage -Destination inbox:D:\Repository -Layers chain

    Converts every archive of a folder, in the lossless form.

    .EXAMPLE
    (Convert-ContainerPackage shop.tar inbox:D:\Repository -WhatIf).steps

    Shows what would be done.

    .OUTPUTS
    What transship convert --json prints: source, destination, artifacts, losses, notes.
    #>
    [CmdletBinding(SupportsShouldProcess)]
    [OutputType([psobject])]
    param(
        [Parameter(Mandatory, Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName)]
        [Alias('FullName', 'Reference')]
        [string] $Source,

        [Parameter(Mandatory, Position = 1)]
        [string] $Destination,

        [string[]] $Base = @(),

        [ValidateSet('squash', 'chain')]
        [string] $Layers,

        [string] $Name,

        [string] $Publisher,

        [version] $PackageVersion,

        [string[]] $Tag = @(),

        [ValidateSet('none', 'gzip', 'zstd')]
        [string] $Compression,

        [switch] $Replace,

        [switch] $Strict
    )

    process {
        $arguments = @('convert', $Source, $Destination)
        foreach ($reference in $Base) { $arguments += '--base', $reference }
        foreach ($reference in $Tag) { $arguments += '--tag', $reference }
        if ($Layers) { $arguments += '--layers', $Layers }
        if ($Name) { $arguments += '--name', $Name }
        if ($Publisher) { $arguments += '--publisher', $Publisher }
        if ($PackageVersion) { $arguments += '--package-version', $PackageVersion.ToString() }
        if ($Compression) { $arguments += '--compression', $Compression }
        if ($Replace) { $arguments += '--replace' }
        if ($Strict) { $arguments += '--strict' }
        if (-not $PSCmdlet.ShouldProcess($Destination, "Convert $Source")) {
            if (-not $WhatIfPreference) { return }
            $arguments += '--dry-run'
        }
        # One that fails does not keep the rest of the pipeline from its turn.
        try { Invoke-Transship -ArgumentList $arguments }
        catch { $PSCmdlet.WriteError($_) }
    }
}

function Get-ContainerPackage {
    <#
    .SYNOPSIS
    Lists the packages of a repository, or the images of an archive.

    .DESCRIPTION
    Each object has the property reference, which selects it for the other commands, and which they take from the
    pipeline.

    .PARAMETER Reference
    Where to look: TRANSPORT:LOCATION, or an existing path that is recognised by its content.

    .EXAMPLE
    Get-ContainerPackage inbox:D:\Repository | Sort-Object -Property identity

    The packages of a repository.

    .EXAMPLE
    Get-ContainerPackage inbox:D:\Repository | Test-ContainerPackage | Where-Object -Property ok -EQ $false

    Those of them that are damaged.

    .OUTPUTS
    Objects with kind, reference, names, identity, platform, layers, sizeBytes.
    #>
    [CmdletBinding()]
    [OutputType([psobject])]
    param(
        [Parameter(Mandatory, Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName)]
        [Alias('FullName')]
        [string] $Reference
    )

    process {
        try { (Invoke-Transship -ArgumentList @('list', $Reference)).items }
        catch { $PSCmdlet.WriteError($_) }
    }
}

function Test-ContainerPackage {
    <#
    .SYNOPSIS
    Checks every digest, size, name, link, hive, dependency and rule of an image or a package.

    .DESCRIPTION
    Gives an object with the property ok, and all faults, not the first. With -Quiet only true or false.

    .PARAMETER Reference
    What to check: TRANSPORT:LOCATION, or an existing path that is recognised by its content.

    .PARAMETER Base
    Where to find a base that it only names; nearest first.

    .PARAMETER Quiet
    Gives true or false.

    .EXAMPLE
    Test-ContainerPackage docker-archive:shop.tar

    What is wrong with an archive.

    .EXAMPLE
    if (-not (Test-ContainerPackage inbox:D:\Repository -Quiet)) { throw 'The repository is damaged.' }

    Stops a script when a repository is damaged.

    .OUTPUTS
    What transship verify --json prints, or a Boolean.
    #>
    [CmdletBinding()]
    [OutputType([psobject], [bool])]
    param(
        [Parameter(Mandatory, Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName)]
        [Alias('FullName')]
        [string] $Reference,

        [string[]] $Base = @(),

        [switch] $Quiet
    )

    process {
        $arguments = @('verify', $Reference)
        foreach ($place in $Base) { $arguments += '--base', $place }
        # 1: faults were found, which is the answer and no error.
        try {
            $report = Invoke-Transship -ArgumentList $arguments -Expected 0, 1
            if ($Quiet) { $report.ok } else { $report }
        }
        catch { $PSCmdlet.WriteError($_) }
    }
}

function Get-ComputeContainer {
    <#
    .SYNOPSIS
    Lists the containers of this host, whoever started them.

    .DESCRIPTION
    Asks Docker, Podman, containerd and the Host Compute Service, and gives each container once with the manager that
    made it. A manager that does not answer is told as a warning.

    .PARAMETER Id
    Gives only containers whose id or name is like this; wildcards are allowed.

    .PARAMETER Manager
    Gives only the containers that this manager made.

    .PARAMETER All
    Also gives containers that do not run.

    .EXAMPLE
    Get-ComputeContainer | Sort-Object -Property memoryBytes -Descending | Select-Object -First 5

    The five that use most memory.

    .EXAMPLE
    Get-ComputeContainer -Manager docker | Stop-ComputeContainer -Force

    Ends everything that Docker started, also when Docker itself hangs.

    .OUTPUTS
    Objects with id, name, manager, image, state, os, isolation, pid, memoryBytes, cpuSeconds, startedAt, seenBy.
    #>
    [CmdletBinding()]
    [OutputType([psobject])]
    param(
        [Parameter(Position = 0)]
        [SupportsWildcards()]
        [string] $Id = '*',

        [string] $Manager,

        [switch] $All
    )

    $arguments = @('containers', 'list')
    if ($Manager) { $arguments += '--manager', $Manager }
    if ($All) { $arguments += '--all' }
    try { $list = Invoke-Transship -ArgumentList $arguments }
    catch { $PSCmdlet.ThrowTerminatingError($_) }
    foreach ($silent in $list.managers) {
        if ($silent.state -eq 'failed') { Write-Warning -Message $silent.error.message }
    }
    foreach ($container in $list.containers) {
        if ($container.id -like $Id -or $container.name -like $Id) { $container }
    }
}

function Stop-ComputeContainer {
    <#
    .SYNOPSIS
    Ends containers of this host, whoever started them.

    .DESCRIPTION
    Goes through the manager that made a container, and when that does not answer, through the Host Compute Service below
    it. One that has ended already is a success. A container that could not be ended is an error, and the others go on.

    .PARAMETER Id
    Id, start of an id, or name; NAMESPACE/ID for one namespace of containerd.

    .PARAMETER TimeoutSeconds
    How long a container may take to end by itself.

    .PARAMETER Force
    Kills what has not ended by then; with -TimeoutSeconds 0 at once.

    .PARAMETER PassThru
    Gives what became of each container.

    .EXAMPLE
    Stop-ComputeContainer web

    Asks one to end, after asking you.

    .EXAMPLE
    Get-ComputeContainer | Where-Object -Property memoryBytes -GT 2GB | Stop-ComputeContainer -Force -Confirm:$false

    Ends every container that uses more than 2 GB.

    .OUTPUTS
    With -PassThru, objects with asked, id, name, manager, via, outcome.
    #>
    [CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'High')]
    [OutputType([psobject])]
    param(
        [Parameter(Mandatory, Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName)]
        [string[]] $Id,

        [ValidateRange(0, 86400)]
        [int] $TimeoutSeconds = 10,

        [switch] $Force,

        [switch] $PassThru
    )

    process {
        foreach ($container in $Id) {
            if (-not $PSCmdlet.ShouldProcess($container, 'Stop container')) { continue }
            $arguments = if ($Force -and $TimeoutSeconds -eq 0) {
                @('containers', 'kill', $container, '--yes')
            }
            else {
                @('containers', 'stop', $container, '--yes', '--timeout', "$TimeoutSeconds")
            }
            if ($Force -and $TimeoutSeconds -gt 0) { $arguments += '--kill' }
            # 2 to 4 tell what became of a container: ambiguous, unknown, still running.
            try { $result = Invoke-Transship -ArgumentList $arguments -Expected 0, 2, 3, 4 }
            catch {
                $PSCmdlet.WriteError($_)
                continue
            }
            foreach ($outcome in $result.containers) {
                if ($outcome.outcome -eq 'failed') {
                    Write-Error -Message $outcome.error.message -ErrorId $outcome.error.code -TargetObject $outcome
                }
                if ($PassThru) { $outcome }
            }
        }
    }
}

Export-ModuleMember -Function @(
    'Convert-ContainerPackage'
    'Get-ContainerPackage'
    'Test-ContainerPackage'
    'Get-ComputeContainer'
    'Stop-ComputeContainer'
)
