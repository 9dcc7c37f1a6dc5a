/* Limits that programs test against; Shoal's own are larger. */
#pragma once

#define NPROC   64
#define NCPU    8
#define NOFILE  16
#define NFILE   100
#define NINODE  50
#define NDEV    10
#define ROOTDEV 1
#define MAXARG  32
#define MAXPATH 128
