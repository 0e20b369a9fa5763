# {{ header }}
#
# By hand:  {{ "packer init . && " if plugins }}packer build -var-file=site.pkrvars.hcl -var private_key=FILE -var agent_package=FILE .
# Give user and password as PKR_VAR_vcenter_user and PKR_VAR_vcenter_password in the environment, not on the command line.

packer {
  required_version = ">= {{ "1.10.0" if plugins else "1.6.6" }}"
{% if plugins %}
  required_plugins {
    vsphere = {
      source  = "github.com/vmware/vsphere"
      version = ">= 2.0.0"
    }
  }
{% endif %}
}

variable "private_key" {
  type        = string
  default     = "build_key"
  description = "The private half of the key that the build user has while the image is built."
}

variable "agent_package" {
  type        = string
  default     = "{{ package }}"
  description = "The agent's package."
}

variable "vcenter_server" {
  type = string
}

variable "vcenter_user" {
  type      = string
  sensitive = true
}

variable "vcenter_password" {
  type      = string
  sensitive = true
}

variable "vcenter_insecure" {
  type        = bool
  default     = false
  description = "Whether a certificate that nobody vouches for is taken."
}

variable "datacenter" {
  type    = string
  default = ""
}

variable "cluster" {
  type = string
}

variable "datastore" {
  type = string
}

variable "folder" {
  type    = string
  default = ""
}

variable "network" {
  type = string
}

variable "content_library" {
  type        = string
  default     = ""
  description = "The content library that gets the machine as an item of type OVF. Without one it becomes a template in its folder."
}

variable "iso_url" {
  type    = string
  default = {{ medium.url | hcl }}
}

variable "iso_checksum" {
  type    = string
  default = {{ medium.checksum | hcl }}
}

source "vsphere-iso" "image" {
  vcenter_server      = var.vcenter_server
  username            = var.vcenter_user
  password            = var.vcenter_password
  insecure_connection = var.vcenter_insecure
  datacenter          = var.datacenter
  cluster             = var.cluster
  datastore           = var.datastore
  folder              = var.folder

  vm_name              = "{{ name }}"
  guest_os_type        = "{{ guest_os }}"
  firmware             = "{{ vmware_firmware }}"
  CPUs                 = {{ cpus }}
  RAM                  = {{ memory }}
  disk_controller_type = ["pvscsi"]

  storage {
    disk_size             = {{ disk }}
    disk_thin_provisioned = true
  }

  network_adapters {
    network      = var.network
    network_card = "vmxnet3"
  }

  iso_url      = var.iso_url
  iso_checksum = var.iso_checksum
{% if served == "http" %}
  http_directory = "installer"
{% else %}
  cd_files     = [{{ cd_files | map("hcl") | join(", ") }}]
  cd_label     = "{{ cd_label }}"
{% endif %}
  remove_cdrom = true
  # Without it Packer changes the machine's boot order once more after it became a template, which vCenter refuses.
  boot_order   = "disk,cdrom"
  boot_wait    = "10s"
  boot_command = [
{% for keys in boot_command %}
    {{ keys | hcl_keys }},
{% endfor %}
  ]

  communicator         = "ssh"
  ssh_username         = "{{ user }}"
  ssh_private_key_file = var.private_key
  ssh_timeout          = "90m"
  ip_wait_timeout      = "90m"
  shutdown_command     = "{{ seal }}"
  shutdown_timeout     = "20m"

  convert_to_template = var.content_library == ""

  # An item of type OVF is renewed in place by the next build; the machine that it was made of goes.
  dynamic "content_library_destination" {
    for_each = var.content_library == "" ? [] : [var.content_library]
    content {
      library = content_library_destination.value
      name    = "{{ name }}"
      ovf     = true
      destroy = true
    }
  }
}

build {
  sources = ["source.vsphere-iso.image"]

{% include "provision.hcl" %}
}
