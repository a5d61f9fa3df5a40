function Get-ComputeContainer {
    <#
    .SYNOPSIS
    Lists the containers of this host, whoever started them.

    .DESCRIPTION
    Asks Docker, Podman, containerd and the Host Compute Service, and gives each container once with the manager that
    made it. A manager that does not answer is a warning.

    On Windows the cmdlet works without the transship command line too, straight through computecore.dll or
    vmcompute.dll: by itself where the command line is not found, and always with -Direct. Run it elevated then. Its
    property Manager is the owner that Windows tells.

    The direct way was compiled, and run against stand-ins for the two libraries on Linux; it was not run on a Windows
    host.

    .PARAMETER Id
    Gives only containers whose id or name is like this; wildcards are allowed.

    .PARAMETER Manager
    Gives only the containers that this manager made.

    .PARAMETER All
    Also gives containers that do not run.

    .PARAMETER Direct
    Asks the Host Compute Service only, without the transship command line (Windows).

    .EXAMPLE
    Get-ComputeContainer | Sort-Object -Property MemoryBytes -Descending | Select-Object -First 5

    The five that use most memory.

    .EXAMPLE
    Get-ComputeContainer -Manager docker | Stop-ComputeContainer -Force

    Ends everything that Docker started, also when Docker itself hangs.

    .EXAMPLE
    Get-ComputeContainer -Direct | Group-Object -Property Manager

    How many containers each owner has, with nothing but PowerShell on the host.

    .OUTPUTS
    Transship.Container: Id, Name, Manager, Namespace, Image, State, Os, Isolation, Pid, MemoryBytes, CpuSeconds,
    StartedAt, SeenBy.

    .LINK
    about_Transship
    #>
    [CmdletBinding()]
    [OutputType('Transship.Container')]
    param(
        [Parameter(Position = 0, ValueFromPipeline)]
        [SupportsWildcards()]
        [string] $Id = '*',

        [string] $Manager,

        [switch] $All,

        [switch] $Direct
    )

    process {
        $list = Get-HostContainer -Manager $Manager -All:$All -Direct:$Direct
        if ($list.Failure) {
            $PSCmdlet.WriteError($list.Failure)
            return
        }
        $matching = @($list.Containers | Where-Object { $_.Id -like $Id -or $_.Name -like $Id })
        if ($matching.Count -eq 0 -and -not [WildcardPattern]::ContainsWildcardCharacters($Id)) {
            $PSCmdlet.WriteError((New-TransshipError -Code NOT_FOUND -Message "There is no container '$Id'." -Suggestion 'List the containers: Get-ComputeContainer -All' -Target $Id))
        }
        $matching
    }
}
